// @vitest-environment jsdom
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ChatEvent } from "./chat";
import { readChunk, streamChat } from "./chat";
import { setApiKey } from "./key";
import { Problem } from "./problem";

const BODY = { model: "m", messages: [{ role: "user" as const, content: "hello" }] };

function answerWith(text: string, init: ResponseInit = {}) {
  const mock = vi.fn(async (_url: string, _init: RequestInit) => new Response(text, init));
  vi.stubGlobal("fetch", mock);
  return mock;
}

async function hear(signal = new AbortController().signal): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  await streamChat(BODY, signal, (event) => events.push(event));
  return events;
}

async function problem(): Promise<Problem> {
  const error: unknown = await hear().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}

const delta = (content: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: content, finish_reason: finish }] })}\n\n`;

afterEach(() => {
  vi.unstubAllGlobals();
  setApiKey("");
});

describe("readChunk", () => {
  it("takes thinking under either name", () => {
    for (const name of ["reasoning_content", "reasoning"]) {
      const chunk = JSON.stringify({ choices: [{ delta: { [name]: "hm" } }] });
      expect(readChunk(chunk)).toEqual([{ type: "delta", thinking: "hm", text: "" }]);
    }
  });

  it("reads the usage, with the cached tokens under either name", () => {
    const common = { prompt_tokens: 7, completion_tokens: 9 };
    const usage = {
      promptTokens: 7,
      cachedTokens: 4,
      completionTokens: 9,
      reasoningTokens: 5,
      tokensPerSecond: 24.5,
    };
    const timings = { predicted_per_second: 24.5 };
    const details = { completion_tokens_details: { reasoning_tokens: 5 } };
    for (const cached of [
      { prompt_cache_hit_tokens: 4 },
      { prompt_tokens_details: { cached_tokens: 4 } },
    ]) {
      const chunk = { choices: [], usage: { ...common, ...details, ...cached }, timings };
      expect(readChunk(JSON.stringify(chunk))).toEqual([{ type: "usage", usage }]);
    }
  });

  it("takes null for absent", () => {
    const choice = { delta: { role: "assistant", content: null }, finish_reason: null };
    expect(readChunk(JSON.stringify({ choices: [choice], usage: null }))).toEqual([]);
  });

  it("throws the error of a chunk", () => {
    const chunk = JSON.stringify({ error: { message: "out of memory", code: null } });
    expect(() => readChunk(chunk)).toThrow(expect.objectContaining({ kind: "server" }));
  });

  it("throws for what is no chunk", () => {
    for (const text of ["", "{", "[]", "null", "7"]) {
      expect(() => readChunk(text), text).toThrow(expect.objectContaining({ kind: "garbled" }));
    }
  });
});

describe("streamChat", () => {
  it("asks for a stream with usage, and hears all of it", async () => {
    const fetch = answerWith(`${delta({ content: "Hi" })}${delta({}, "stop")}data: [DONE]\n\n`);
    expect(await hear()).toEqual([
      { type: "delta", thinking: "", text: "Hi" },
      { type: "finish", reason: "stop" },
    ]);
    const [url, init] = fetch.mock.calls[0]!;
    expect(new URL(url).pathname).toBe("/v1/chat/completions");
    expect(JSON.parse(init.body as string)).toEqual({
      ...BODY,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(init.headers).not.toHaveProperty("Authorization");
  });

  it("sends the key", async () => {
    setApiKey("secret");
    const fetch = answerWith("data: [DONE]\n\n");
    await hear();
    expect(fetch.mock.calls[0]![1].headers).toHaveProperty("Authorization", "Bearer secret");
  });

  it("takes an answer that ends without [DONE] if it has a reason to end", async () => {
    answerWith(delta({ content: "Hi" }, "stop"));
    expect(await hear()).toHaveLength(2);
  });

  it("tells an answer that breaks off", async () => {
    answerWith(delta({ content: "Hi" }));
    expect((await problem()).kind).toBe("broken_off");
  });

  it("tells an error within the stream, with the server's words", async () => {
    answerWith(`${delta({ content: "Hi" })}data: {"error":{"message":"boom"}}\n\n`);
    expect(await problem()).toMatchObject({ kind: "server", detail: "boom" });
  });

  it("tells a server that cannot be reached", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect((await problem()).kind).toBe("unreachable");
  });

  it.each([
    [400, "request"],
    [401, "key"],
    [402, "quota"],
    [403, "forbidden"],
    [408, "timeout"],
    [413, "too_large"],
    [422, "request"],
    [429, "busy"],
    [500, "server"],
    [503, "busy"],
    [504, "timeout"],
  ])("knows what status %i means", async (status, kind) => {
    const body = JSON.stringify({ error: { message: "why", type: "t", param: null, code: null } });
    answerWith(body, { status, headers: { "Retry-After": "3" } });
    expect(await problem()).toMatchObject({ kind, detail: "why", retryAfter: 3 });
  });

  it("knows a conversation that is too long", async () => {
    const body = JSON.stringify({ error: { message: "m", code: "context_length_exceeded" } });
    answerWith(body, { status: 400 });
    expect((await problem()).kind).toBe("too_long");
  });

  it("bears answers that are not JSON, and dates in Retry-After", async () => {
    const headers = { "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" };
    answerWith("<h1>Bad gateway</h1>", { status: 502, headers });
    expect(await problem()).toMatchObject({ kind: "server", detail: "HTTP 502", retryAfter: 0 });
  });

  it("passes the stop of a person through", async () => {
    const controller = new AbortController();
    vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
      const stream = new ReadableStream({
        start: (sink) => init.signal!.addEventListener("abort", () => sink.error("aborted")),
      });
      return Promise.resolve(new Response(stream));
    });
    const hearing = hear(controller.signal);
    setTimeout(() => controller.abort(), 10);
    await expect(hearing).rejects.not.toBeInstanceOf(Problem);
  });
});
