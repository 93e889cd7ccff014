import type { Signal } from "@preact/signals";
import { signal } from "@preact/signals";

export interface Lazy<Module> {
  module: Signal<Module | null>; // null until it has come
  load(): void;
}

// A part of the page that few conversations need: fetched when the first one does.
function lazy<Module>(fetchModule: () => Promise<Module>): Lazy<Module> {
  const module = signal<Module | null>(null);
  let asked = false;
  return {
    module,
    load() {
      if (asked) return;
      asked = true;
      fetchModule().then(
        (loaded) => (module.value = loaded),
        // Asked again by the next text that needs it; until then the source is shown.
        () => (asked = false),
      );
    },
  };
}

export const maths = lazy(() => import("./maths"));
export const highlight = lazy(() => import("./highlight"));
