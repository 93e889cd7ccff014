import { signal } from "@preact/signals";

// The key lives as long as the tab: on a shared machine it must not stay behind.
const NAME = "minke.key";

function stored(): string {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

export const apiKey = signal(stored());

export function setApiKey(key: string): void {
  apiKey.value = key;
  try {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
  } catch {
    // Kept in memory only.
  }
}
