// A server that speaks as much of the API as the page needs, with answers that are written down.
// By hand: node e2e/fake_server.mjs [PORT], after `npm run build`.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { answerTo } from "./answers.mjs";

const DIST = new URL("../dist/", import.meta.url);
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const CARD = `# Fake model

A model for tests. It *knows* nothing.

| Task | Score |
| --- | --- |
| sums | 0.97 |
`;

function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

function sendError(response, status, message, code = null, headers = {}) {
  const error = { message, type: "invalid_request_error", param: null, code };
  sendJson(response, status, { error }, headers);
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

class FakeServer {
  constructor({ key = "", speed = 1 } = {}) {
    this.key = key;
    this.speed = speed; // delays are divided by it
    this.requests = []; // bodies of chat requests
    this.cancelled = 0; // answers that the client did not wait for
    this.running = 0;
    this.held = new Promise((resolve) => (this.release = resolve));
    this.http = createServer((request, response) => {
      this.handle(request, response).catch((error) => response.destroy(error));
    });
  }

  async handle(request, response) {
    const path = new URL(request.url, "http://host").pathname;
    if (!path.startsWith("/v1/")) return this.sendFile(path, response);
    if (this.key && request.headers.authorization !== `Bearer ${this.key}`) {
      return sendError(response, 401, "The key is missing or not known.", "invalid_api_key");
    }
    if (path === "/v1/models") {
      return sendJson(response, 200, {
        object: "list",
        data: [{ id: "fake-model", object: "model" }],
      });
    }
    if (path === "/v1/status") return sendJson(response, 200, this.status());
    if (path === "/v1/chat/completions") return this.chat(await bodyOf(request), response);
    return sendError(response, 404, `There is no ${path}.`);
  }

  async sendFile(path, response) {
    const name = path === "/" ? "index.html" : path.slice(1);
    const type = TYPES[extname(name)];
    const bytes =
      /^[\w.-]+$/.test(name) && type && (await readFile(new URL(name, DIST)).catch(() => null));
    if (!bytes) return sendError(response, 404, `There is no ${path}.`);
    response.writeHead(200, {
      "Content-Type": type,
      "Content-Security-Policy": "default-src 'self'",
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-cache",
    });
    return response.end(bytes);
  }

  status() {
    return {
      model: {
        name: "fake-model",
        architecture: "deepseek2",
        parameters: 15_700_000_000,
        active_parameters: 2_400_000_000,
        context: 4096,
        quantization: "Q4_K",
        file_bytes: 9_450_000_000,
        card: CARD,
      },
      queue: { running: this.running, waiting: 2 },
      cache: { pages: 512, pages_in_use: 96, hit_tokens: 3100, prompt_tokens: 8200 },
      throughput: { prompt_tokens_per_second: 153.2, generated_tokens_per_second: 24.8 },
      uptime_seconds: 93_784,
    };
  }

  async chat(body, response) {
    this.requests.push(body);
    const answer = answerTo(body.messages.at(-1).content, body.thinking?.type === "enabled");
    if (answer.status) {
      const headers = answer.retryAfter ? { "Retry-After": String(answer.retryAfter) } : {};
      return sendError(response, answer.status, "The queue is full.", answer.code, headers);
    }
    this.running++;
    response.on("close", () => {
      this.running--;
      if (!response.writableFinished) this.cancelled++;
    });
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    return this.stream(answer, body, response);
  }

  async stream(answer, body, response) {
    const chunk = (more) =>
      JSON.stringify({
        id: "chatcmpl-1",
        object: "chat.completion.chunk",
        created: 1,
        model: "fake-model",
        usage: null,
        ...more,
      });
    const delta = (content, finish_reason = null) =>
      `data: ${chunk({ choices: [{ index: 0, delta: content, finish_reason }] })}\n\n`;
    response.write(delta({ role: "assistant", content: null }));
    response.write(": keep-alive\n\n");
    const all = [
      ...answer.thinking.map((text) => ({ reasoning_content: text })),
      ...answer.text.map((text) => ({ content: text })),
    ];
    const faultAt = Math.floor(all.length * 0.75);
    for (const [index, piece] of all.entries()) {
      await sleep(answer.delay / this.speed);
      if (answer.hold && index === answer.thinking.length) await this.held;
      if (response.destroyed) return;
      if (answer.fault && index === faultAt) return this.fail(answer.fault, response);
      // Cut within the bytes of the event, as networks do.
      const bytes = Buffer.from(delta(piece));
      response.write(bytes.subarray(0, bytes.length >> 1));
      response.write(bytes.subarray(bytes.length >> 1));
    }
    const prompt = 12 + 30 * body.messages.length;
    const cached = body.messages.length > 1 ? prompt - 30 : 0;
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: all.length,
      total_tokens: prompt + all.length,
      prompt_cache_hit_tokens: cached,
      prompt_cache_miss_tokens: prompt - cached,
      completion_tokens_details: { reasoning_tokens: answer.thinking.length },
    };
    response.write(delta({}, answer.finish));
    response.write(`data: ${chunk({ choices: [], usage })}\n\n`);
    response.end("data: [DONE]\n\n");
  }

  fail(fault, response) {
    if (fault === "cut") return response.destroy();
    const error = { message: "A worker failed.", type: "server_error", param: null, code: null };
    return response.end(
      fault === "garbled" ? "data: {not json\n\n" : `data: ${JSON.stringify({ error })}\n\n`,
    );
  }

  // Resolves with the address.
  async listen(port = 0) {
    await new Promise((resolve) => this.http.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.http.address().port}/`;
  }

  async close() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}

export async function startFakeServer(options) {
  const server = new FakeServer(options);
  server.url = await server.listen(options?.port);
  return server;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startFakeServer({ port: Number(process.argv[2] ?? 8080) });
  console.log(server.url);
}
