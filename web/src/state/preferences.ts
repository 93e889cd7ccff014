import { effect, signal } from "@preact/signals";
import { isObject } from "../api/json";
import type { AnswerSettings } from "./conversation";
import { DEFAULT_SETTINGS } from "./conversation";
import { readSettings } from "./transfer";

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];

const NAME = "minke.preferences";

function stored(): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(NAME) ?? "{}");
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const start = stored();

// A language of the catalogues, or "" for the browser's.
export const chosenLanguage = signal(
  typeof start["language"] === "string" ? start["language"] : "",
);
export const theme = signal<Theme>(THEMES.find((name) => name === start["theme"]) ?? "system");
// Those of the next conversation: the ones that were used last.
export const answerSettings = signal<AnswerSettings>(
  readSettings(start["answers"]) ?? DEFAULT_SETTINGS,
);

// Keeps the preferences, and shows the theme.
export function keepPreferences(): void {
  effect(() => {
    const value = {
      language: chosenLanguage.value,
      theme: theme.value,
      answers: answerSettings.value,
    };
    try {
      localStorage.setItem(NAME, JSON.stringify(value));
    } catch {
      // The browser keeps nothing; the choice holds until the page is closed.
    }
  });
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}
