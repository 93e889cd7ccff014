import ar from "./catalogues/ar.json";
import de from "./catalogues/de.json";
import en from "./catalogues/en.json";
import hi from "./catalogues/hi.json";
import id from "./catalogues/id.json";
import zh from "./catalogues/zh.json";

// A text, or one for each plural category of the language. `{name}` stands for what is passed in.
export type Entry = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Key = keyof typeof en;
export type Catalogue = Record<Key, Entry>;

export interface Language {
  code: string;
  name: string; // in the language itself
  direction: "ltr" | "rtl";
  catalogue: Catalogue;
}

export const LANGUAGES: readonly Language[] = [
  { code: "en", name: "English", direction: "ltr", catalogue: en },
  { code: "zh", name: "中文", direction: "ltr", catalogue: zh },
  { code: "ar", name: "العربية", direction: "rtl", catalogue: ar },
  { code: "hi", name: "हिन्दी", direction: "ltr", catalogue: hi },
  { code: "id", name: "Bahasa Indonesia", direction: "ltr", catalogue: id },
  { code: "de", name: "Deutsch", direction: "ltr", catalogue: de },
];
