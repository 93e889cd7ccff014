import { signal } from "@preact/signals";

// What has been typed and not yet sent.
export const draft = signal("");
