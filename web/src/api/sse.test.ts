import { describe, expect, it } from "vitest";
import type { ServerEvent } from "./sse";
import { SseParser } from "./sse";

function read(bytes: Uint8Array, cuts: number[]): ServerEvent[] {
  const parser = new SseParser();
  const events: ServerEvent[] = [];
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    events.push(...parser.push(bytes.subarray(start, cut)));
    start = cut;
  }
  return events;
}

const encode = (text: string) => new TextEncoder().encode(text);

const STREAM = [
  ": keep-alive\n\n",
  'data: {"text":"zwölf 鲸 🐋 حوت"}\n\n',
  "event: error\r\ndata: one\r\ndata: two\r\n\r\n",
  "data:no space\rid: 7\r\r",
  "retry: 10\n\n",
  "data\n\n",
  "data: [DONE]\n\n",
].join("");

const EVENTS: ServerEvent[] = [
  { event: "message", data: '{"text":"zwölf 鲸 🐋 حوت"}' },
  { event: "error", data: "one\ntwo" },
  { event: "message", data: "no space" },
  { event: "message", data: "" },
  { event: "message", data: "[DONE]" },
];

describe("SseParser", () => {
  it("reads a stream that comes at once", () => {
    expect(read(encode(STREAM), [])).toEqual(EVENTS);
  });

  it("reads the same from two parts, wherever the cut is", () => {
    const bytes = encode(STREAM);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read(bytes, [cut]), `cut at ${cut}`).toEqual(EVENTS);
    }
  });

  it("reads the same from single bytes", () => {
    const bytes = encode(STREAM);
    expect(read(bytes, Array.from(bytes.keys()))).toEqual(EVENTS);
  });

  it("leaves out a byte order mark", () => {
    expect(read(encode("\ufeffdata: a\n\n"), [1, 2])).toEqual([{ event: "message", data: "a" }]);
  });

  it("gives no event that has not ended", () => {
    expect(read(encode("data: a\n\ndata: b\n"), [])).toEqual([{ event: "message", data: "a" }]);
  });

  it("forgets the name of an event without data", () => {
    expect(read(encode("event: x\n\ndata: a\n\n"), [])).toEqual([{ event: "message", data: "a" }]);
  });

  it("shows bytes that are no UTF-8 as replacement characters", () => {
    const bytes = new Uint8Array([...encode("data: a"), 0xff, ...encode("\n\n")]);
    expect(read(bytes, [])).toEqual([{ event: "message", data: "a\ufffd" }]);
  });

  it("refuses an event without end", () => {
    const parser = new SseParser();
    const line = encode(`data: ${"x".repeat(1 << 20)}\n`);
    expect(() => {
      for (let count = 0; count < 10; count++) parser.push(line);
    }).toThrow(RangeError);
  });
});
