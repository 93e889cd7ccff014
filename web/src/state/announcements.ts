import { signal } from "@preact/signals";

// What screen readers say: pieces of the answer as they become complete, and what happens.
export interface Announcement {
  id: number;
  text: string;
}

export const announcements = signal<Announcement[]>([]);

// Long enough to be read out; afterwards they would only be in the way.
const KEPT_MILLISECONDS = 20_000;
let last = 0;

export function announce(text: string): void {
  const id = ++last;
  announcements.value = [...announcements.value, { id, text }];
  setTimeout(() => {
    announcements.value = announcements.value.filter((item) => item.id !== id);
  }, KEPT_MILLISECONDS);
}

// Hands out an answer in whole sentences, a few at a time, instead of token by token.
export class SentenceReader {
  private said = 0;

  // What of `text`, which has grown since the last call, is complete and not yet said.
  next(text: string): string {
    const rest = text.slice(this.said);
    const ends = [...rest.matchAll(/[.!?؟।。！？]["'”’)]*\s|[。！？]|\n/gu)];
    const end = ends.at(-1);
    if (!end) return "";
    const length = end.index + end[0].length;
    this.said += length;
    return spoken(rest.slice(0, length));
  }

  // All that is left.
  rest(text: string): string {
    const rest = text.slice(this.said);
    this.said = text.length;
    return spoken(rest);
  }
}

// Without the marks of Markdown.
function spoken(text: string): string {
  return text
    .replace(/[*_`#>|]+/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
}
