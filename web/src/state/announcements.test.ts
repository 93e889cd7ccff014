import { describe, expect, it } from "vitest";
import { SentenceReader } from "./announcements";

describe("SentenceReader", () => {
  it("says whole sentences, each once", () => {
    const reader = new SentenceReader();
    expect(reader.next("One. Tw")).toBe("One.");
    expect(reader.next("One. Two")).toBe("");
    expect(reader.next("One. Two! Three")).toBe("Two!");
    expect(reader.rest("One. Two! Three")).toBe("Three");
    expect(reader.rest("One. Two! Three")).toBe("");
  });

  it("knows the ends of sentences in other scripts", () => {
    expect(new SentenceReader().next("鲸很大。它")).toBe("鲸很大。");
    expect(new SentenceReader().next("व्हेल बड़ी है। वह")).toBe("व्हेल बड़ी है।");
    expect(new SentenceReader().next("هل هذا حوت؟ نعم")).toBe("هل هذا حوت؟");
  });

  it("leaves the marks of Markdown out, and takes a line for a sentence", () => {
    expect(new SentenceReader().next("## Head\n- **bold** `x`\n")).toBe("Head - bold x");
  });
});
