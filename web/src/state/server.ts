import { computed, signal } from "@preact/signals";
import { fetchModels, fetchStatus } from "../api/client";
import { apiKey } from "../api/key";
import type { ProblemData } from "../api/problem";
import { Problem } from "../api/problem";
import type { ServerStatus } from "../api/status";

export const serverStatus = signal<ServerStatus | null>(null);
export const serverProblem = signal<ProblemData | null>(null);
const models = signal<string[]>([]);
// Whether the view of the status is open, where figures should move.
export const statusWatched = signal(false);

export const modelName = computed(() => serverStatus.value?.model.name || models.value[0] || "");

const WATCHED_SECONDS = 2;
const IDLE_SECONDS = 20;
const LOST_SECONDS = 4;

let timer: ReturnType<typeof setTimeout> | undefined;
let asking: AbortController | null = null;

async function ask(signal: AbortSignal): Promise<void> {
  try {
    if (models.value.length === 0) models.value = await fetchModels(signal);
    serverStatus.value = await fetchStatus(signal);
    serverProblem.value = null;
  } catch (error) {
    if (signal.aborted) return;
    serverProblem.value = error instanceof Problem ? error.data() : new Problem("garbled").data();
  }
}

// Asks at once, and then again and again while the page is seen.
export async function askServer(): Promise<void> {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  await ask(mine.signal);
  if (mine.signal.aborted || document.hidden) return;
  // Without a key there is nothing to hear until a person gives one.
  if (serverProblem.value?.kind === "key") return;
  const seconds = statusWatched.value
    ? WATCHED_SECONDS
    : serverProblem.value
      ? LOST_SECONDS
      : IDLE_SECONDS;
  timer = setTimeout(() => void askServer(), seconds * 1000);
}

export function watchServer(): void {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void askServer();
  });
  window.addEventListener("online", () => void askServer());
  apiKey.subscribe(() => void askServer());
  statusWatched.subscribe((watched) => {
    if (watched) void askServer();
  });
}
