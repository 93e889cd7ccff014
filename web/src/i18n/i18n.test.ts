import { describe, expect, it } from "vitest";
import type { Entry, Key } from "./catalogues";
import { LANGUAGES } from "./catalogues";
import en from "./catalogues/en.json";
import { format, pickLanguage } from "./i18n";

const KEYS = Object.keys(en) as Key[];

// Words that are the same in another language are listed, so that none is forgotten.
const SAME: Readonly<Record<string, readonly string[]>> = {
  de: ["page.theme.system", "status.title"],
  id: ["model.title", "status.title", "settings.top_p"],
  zh: ["settings.top_p"],
  hi: ["settings.top_p"],
  ar: ["settings.top_p"],
};

const texts = (entry: Entry): string[] =>
  typeof entry === "string" ? [entry] : Object.values(entry);

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/gu)].map((match) => match[1]!).sort();

describe("catalogues", () => {
  it("are all in the list", () => {
    const files = Object.keys(import.meta.glob("./catalogues/*"));
    expect(files.sort()).toEqual(LANGUAGES.map(({ code }) => `./catalogues/${code}.json`).sort());
  });

  it.each(LANGUAGES.map((language) => [language.code, language] as const))(
    "%s has each text, with what is put in, and each plural",
    (code, { catalogue }) => {
      expect(Object.keys(catalogue)).toEqual(KEYS);
      const categories = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
      for (const key of KEYS) {
        const entry = catalogue[key];
        expect(typeof entry, key).toBe(typeof en[key]);
        const wanted = placeholders(texts(en[key]).at(-1)!);
        for (const text of texts(entry)) {
          expect(text.trim(), key).not.toBe("");
          expect(text, key).toBe(text.trim());
        }
        if (typeof entry === "string") {
          expect(placeholders(entry), key).toEqual(wanted);
        } else {
          expect(Object.keys(entry).sort(), key).toEqual([...categories].sort());
          // A category of one number may have its word instead of the number.
          expect(placeholders(entry.other!), key).toEqual(wanted);
        }
      }
    },
  );

  const others = LANGUAGES.filter(({ code }) => code !== "en");
  it.each(others.map((language) => [language.code, language] as const))(
    "%s is translated",
    (code, { catalogue }) => {
      const same = KEYS.filter(
        (key) => key !== "app.name" && texts(catalogue[key]).at(-1) === texts(en[key]).at(-1),
      );
      expect(same.sort()).toEqual([...(SAME[code] ?? [])].sort());
    },
  );

  it("have no text that the page does not use", () => {
    const sources = Object.values(
      import.meta.glob<string>(["../**/*.ts", "../**/*.tsx", "!../**/*.test.*"], {
        query: "?raw",
        import: "default",
        eager: true,
      }),
    ).join("\n");
    // Some keys are put together: `problem.${kind}`.
    const prefixes = [...sources.matchAll(/`([a-z.]+\.)\$\{/gu)].map((match) => match[1]!);
    const unused = KEYS.filter(
      (key) => !sources.includes(`"${key}"`) && !prefixes.some((prefix) => key.startsWith(prefix)),
    );
    expect(unused).toEqual([]);
  });
});

describe("format", () => {
  const language = (code: string) => pickLanguage(code, []);

  it("puts values in, numbers as the language writes them", () => {
    const values = { at: 1, all: 1234 };
    expect(format(language("de"), "de", "chat.version", values)).toBe("1 von 1.234");
    expect(format(language("ar"), "ar-EG", "chat.version", values)).toBe("١ من ١٬٢٣٤");
  });

  it("chooses the plural", () => {
    const tokens = (code: string, count: number) =>
      format(language(code), code, "chat.tokens", { count });
    expect([1, 2].map((count) => tokens("en", count))).toEqual(["1 token", "2 tokens"]);
    expect([1, 2].map((count) => tokens("ar-MA", count))).toEqual(["رمز واحد", "رمزان"]);
    expect(tokens("zh", 1)).toBe("1 个词元");
  });

  it("leaves braces within values alone", () => {
    const text = format(language("en"), "en", "delete.text", { title: "{title} {x}" });
    expect(text).toBe("“{title} {x}” will be gone for good.");
  });
});

describe("pickLanguage", () => {
  it("takes the chosen one, then the browser's, then English", () => {
    expect(pickLanguage("de", ["hi"]).code).toBe("de");
    expect(pickLanguage("", ["fr-FR", "zh-Hans-CN", "de"]).code).toBe("zh");
    expect(pickLanguage("", ["fr"]).code).toBe("en");
    expect(pickLanguage("xx", []).code).toBe("en");
  });
});
