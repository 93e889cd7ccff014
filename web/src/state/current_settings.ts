import { computed } from "@preact/signals";
import type { AnswerSettings } from "./conversation";
import { library } from "./library";
import { answerSettings } from "./preferences";

// Those of the open conversation, or of the one that is about to begin.
export const currentSettings = computed(() => library.open.value?.settings ?? answerSettings.value);

// What is changed holds for the open conversation and for those to come.
export function changeSettings(change: Partial<AnswerSettings>): void {
  const settings = { ...currentSettings.value, ...change };
  answerSettings.value = settings;
  const open = library.open.value;
  if (open) library.put({ ...open, settings });
}
