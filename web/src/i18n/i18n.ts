import { computed, effect } from "@preact/signals";
import { chosenLanguage } from "../state/preferences";
import type { Key, Language } from "./catalogues";
import { LANGUAGES } from "./catalogues";

export type { Key } from "./catalogues";

const base = (tag: string): string => tag.toLowerCase().split("-")[0] ?? "";

// The chosen language, or the first of the browser's that there is a catalogue for, or English.
export function pickLanguage(chosen: string, wanted: readonly string[]): Language {
  for (const tag of [chosen, ...wanted]) {
    const found = LANGUAGES.find((language) => language.code === base(tag));
    if (found) return found;
  }
  return LANGUAGES[0]!;
}

export const language = computed(() => pickLanguage(chosenLanguage.value, navigator.languages));

// With the region of the browser, which decides on numerals in Arabic, for example.
export const locale = computed(() => {
  const { code } = language.value;
  return navigator.languages.find((tag) => base(tag) === code) ?? code;
});

type Values = Record<string, string | number>;

export function format(language: Language, locale: string, key: Key, values: Values = {}): string {
  const entry = language.catalogue[key];
  let text: string;
  if (typeof entry === "string") {
    text = entry;
  } else {
    const count = typeof values["count"] === "number" ? values["count"] : 0;
    const category = new Intl.PluralRules(language.code).select(count);
    text = entry[category] ?? entry.other ?? "";
  }
  return text.replace(/\{(\w+)\}/gu, (_, name: string) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? new Intl.NumberFormat(locale).format(value) : value;
  });
}

// The text of `key` in the chosen language. `count` among the values chooses the plural.
export function t(key: Key, values?: Values): string {
  return format(language.value, locale.value, key, values);
}

export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(locale.value, options).format(value);
}

// About three digits: 0.42, 7.3, 128.
export function formatRate(value: number): string {
  const digits = value < 1 ? 2 : value < 100 ? 1 : 0;
  return formatNumber(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatSeconds(seconds: number): string {
  const digits = seconds < 10 ? 1 : 0;
  const options: Intl.NumberFormatOptions = { style: "unit", unitDisplay: "narrow" };
  if (seconds < 60) {
    return formatNumber(seconds, { ...options, unit: "second", maximumFractionDigits: digits });
  }
  const whole = Math.round(seconds);
  const parts = [
    formatNumber(Math.floor(whole / 60), { ...options, unit: "minute" }),
    formatNumber(whole % 60, { ...options, unit: "second" }),
  ];
  return parts.join(" ");
}

export function formatDuration(seconds: number): string {
  if (seconds < 3600) return formatSeconds(seconds);
  const options: Intl.NumberFormatOptions = { style: "unit", unitDisplay: "short" };
  const minutes = Math.floor(seconds / 60);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  const parts = days > 0 ? [formatNumber(days, { ...options, unit: "day" })] : [];
  parts.push(formatNumber(hours, { ...options, unit: "hour" }));
  if (days === 0) parts.push(formatNumber(minutes % 60, { ...options, unit: "minute" }));
  return parts.join(" ");
}

export function formatTime(milliseconds: number): string {
  const options: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(locale.value, options).format(milliseconds);
}

export function showLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value.code;
    document.documentElement.dir = language.value.direction;
  });
}
