import type { Token, TokenizerExtension, Tokens } from "marked";
import { Marked } from "marked";

export interface MathsToken {
  type: "maths";
  raw: string;
  text: string; // TeX
  display: boolean;
}

// Lengths are bounded, so that text with many openings and no end stays cheap to read.
const INLINE_RULES: readonly [RegExp, boolean][] = [
  [/^\$\$((?:\\[\s\S]|[^\\$]){1,4000}?)\$\$/u, true],
  // As in Pandoc: no space inside the dollars, no digit behind them. Prices stay prices.
  [/^\$(?![\s$])((?:\\[^\n]|[^\\$\n]){1,1000}?)(?<!\s)\$(?!\d)/u, false],
  [/^\\\(([\s\S]{1,1000}?)\\\)/u, false],
  [/^\\\[([\s\S]{1,4000}?)\\\]/u, true],
];
const BLOCK_RULES: readonly RegExp[] = [
  /^ {0,3}\$\$([\s\S]{1,8000}?)\$\$[ \t]*(?:\n|$)/u,
  /^ {0,3}\\\[([\s\S]{1,8000}?)\\\][ \t]*(?:\n|$)/u,
];

function token(match: RegExpExecArray, display: boolean): Tokens.Generic {
  return { type: "maths", raw: match[0], text: (match[1] ?? "").trim(), display };
}

const inlineMaths: TokenizerExtension = {
  name: "maths",
  level: "inline",
  start: (source) => {
    const at = source.search(/\$|\\[([]/u);
    return at < 0 ? undefined : at;
  },
  tokenizer: (source) => {
    for (const [rule, display] of INLINE_RULES) {
      const match = rule.exec(source);
      if (match) return token(match, display);
    }
    return undefined;
  },
};

const blockMaths: TokenizerExtension = {
  name: "maths_block",
  level: "block",
  start: (source) => {
    const at = source.search(/\n {0,3}(?:\$\$|\\\[)/u);
    return at < 0 ? undefined : at + 1;
  },
  tokenizer: (source) => {
    for (const rule of BLOCK_RULES) {
      const match = rule.exec(source);
      if (match) return token(match, true);
    }
    return undefined;
  },
};

const reader = new Marked({ gfm: true, breaks: false, extensions: [inlineMaths, blockMaths] });

// The blocks of a Markdown text. What is nested too deep to be read is one block of plain text.
export function readMarkdown(text: string): Token[] {
  try {
    return reader.lexer(text);
  } catch {
    return [{ type: "text", raw: text, text }];
  }
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  times: "×",
  deg: "°",
  rarr: "→",
  larr: "←",
};

// `&amp;` and the like as the characters they stand for; unknown names stay as they are.
export function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/giu,
    (all, ten, six, name) => {
      if (name) return NAMED[name as string] ?? (all as string);
      const code = ten ? Number(ten) : Number.parseInt(six as string, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : (all as string);
    },
  );
}

// An address that may be followed; null for scripts and whatever else a browser might run.
export function safeAddress(href: string): string | null {
  try {
    const url = new URL(decodeEntities(href));
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
