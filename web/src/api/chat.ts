import { request } from "./client";
import type { JsonObject } from "./json";
import { isObject, numberAt, objectAt, textAt } from "./json";
import { Problem, problemOfBody } from "./problem";
import { SseParser } from "./sse";

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

// Members that are undefined are not sent: the server's own defaults hold.
export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  temperature?: number | undefined;
  top_p?: number | undefined;
  max_tokens?: number | undefined;
  seed?: number | undefined;
  thinking?: { type: "enabled" | "disabled" };
}

export interface Usage {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number; // thinking included
  reasoningTokens: number;
  tokensPerSecond: number | null; // written, as the server measured it
}

export type ChatEvent =
  | { type: "delta"; thinking: string; text: string }
  | { type: "finish"; reason: string }
  | { type: "usage"; usage: Usage };

function readUsage(usage: JsonObject, timings: JsonObject): Usage {
  return {
    promptTokens: numberAt(usage, "prompt_tokens") ?? 0,
    cachedTokens:
      numberAt(usage, "prompt_cache_hit_tokens") ??
      numberAt(objectAt(usage, "prompt_tokens_details"), "cached_tokens") ??
      0,
    completionTokens: numberAt(usage, "completion_tokens") ?? 0,
    reasoningTokens:
      numberAt(objectAt(usage, "completion_tokens_details"), "reasoning_tokens") ?? 0,
    tokensPerSecond: numberAt(timings, "predicted_per_second"),
  };
}

// What one `data:` of a stream says. Throws Problem for an error or for what is no chunk.
export function readChunk(data: string): ChatEvent[] {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw new Problem("garbled");
  }
  if (!isObject(chunk)) throw new Problem("garbled");
  const problem = problemOfBody(chunk, numberAt(chunk, "code") ?? 500);
  if (problem) throw problem;
  const events: ChatEvent[] = [];
  const choices: unknown[] = Array.isArray(chunk["choices"]) ? chunk["choices"] : [];
  const choice = choices[0];
  if (isObject(choice)) {
    const delta = objectAt(choice, "delta");
    const thinking = textAt(delta, "reasoning_content") || textAt(delta, "reasoning");
    const text = textAt(delta, "content");
    if (thinking || text) events.push({ type: "delta", thinking, text });
    const reason = textAt(choice, "finish_reason");
    if (reason) events.push({ type: "finish", reason });
  }
  if (isObject(chunk["usage"])) {
    events.push({ type: "usage", usage: readUsage(chunk["usage"], objectAt(chunk, "timings")) });
  }
  return events;
}

// Sends `body` and calls `hear` as the answer comes. Returns when it is complete; throws Problem if
// it never will be, and the AbortError of `signal`.
export async function streamChat(
  body: ChatRequest,
  signal: AbortSignal,
  hear: (event: ChatEvent) => void,
): Promise<void> {
  const response = await request("v1/chat/completions", {
    body: { ...body, stream: true, stream_options: { include_usage: true } },
    signal,
  });
  if (!response.body) throw new Problem("garbled");
  const reader = response.body.getReader();
  try {
    if (!(await readStream(reader, hear))) throw new Problem("broken_off");
  } catch (error) {
    if (signal.aborted || error instanceof Problem) throw error;
    throw new Problem(error instanceof RangeError ? "garbled" : "broken_off");
  } finally {
    // Also tells the server that nobody listens any more.
    reader.cancel().catch(() => undefined);
  }
}

// True if the answer came to its end.
async function readStream(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  hear: (event: ChatEvent) => void,
): Promise<boolean> {
  const parser = new SseParser();
  let finished = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return finished;
    for (const { data } of parser.push(value)) {
      if (data === "[DONE]") return true;
      for (const event of readChunk(data)) {
        if (event.type === "finish") finished = true;
        hear(event);
      }
    }
  }
}
