import { signal } from "@preact/signals";

export type Dialog =
  | { name: "settings" | "export" | "model" | "status" | "key" | "delete_all" }
  | { name: "delete"; conversation: string };

export const dialog = signal<Dialog | null>(null);

export function closeDialog(): void {
  dialog.value = null;
}

// Too narrow for the list beside the conversation: it becomes a drawer.
const narrowQuery = window.matchMedia("(max-width: 54rem)");
export const narrow = signal(narrowQuery.matches);
narrowQuery.addEventListener("change", () => {
  narrow.value = narrowQuery.matches;
});
export const drawerOpen = signal(false);

let here = true;
window.addEventListener("pagehide", () => (here = false));
window.addEventListener("pageshow", () => (here = true));

// Waits, if the page has been left, until the browser brings it back, which it need not.
export function beHere(): Promise<void> {
  return new Promise((resolve) => {
    if (here) resolve();
    else window.addEventListener("pageshow", () => resolve(), { once: true });
  });
}

export const COMPOSER_ID = "composer";

export function focusComposer(): void {
  document.getElementById(COMPOSER_ID)?.focus();
}
