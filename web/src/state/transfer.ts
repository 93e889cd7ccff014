import { isObject, numberAt, objectAt, textAt } from "../api/json";
import type { JsonObject } from "../api/json";
import type { ProblemData } from "../api/problem";
import { PROBLEM_KINDS } from "../api/problem";
import type { AnswerSettings, Conversation, Message, MessageState, Receipt } from "./conversation";
import { newId, pathOf, settle, titleFrom } from "./conversation";

// Conversations as files: JSON holds everything and can be read again, Markdown is for people.

const FORMAT = "minke-conversations";
const VERSION = 1;

export function toJson(conversations: Conversation[]): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, conversations }, null, 2)}\n`;
}

export interface MarkdownWords {
  you: string;
  thinking: string;
  system: string;
}

function quoted(text: string): string {
  return text.replace(/^/gmu, "> ");
}

// The shown path of a conversation.
export function toMarkdown(conversation: Conversation, words: MarkdownWords): string {
  const parts = [`# ${conversation.title}`];
  if (conversation.settings.system) {
    parts.push(`**${words.system}**`, quoted(conversation.settings.system));
  }
  for (const message of pathOf(conversation)) {
    parts.push(`## ${message.role === "user" ? words.you : message.model || "Minke"}`);
    if (message.thinking) parts.push(`**${words.thinking}**`, quoted(message.thinking));
    parts.push(message.text);
  }
  return `${parts.join("\n\n")}\n`;
}

// A name that every file system takes.
export function fileName(title: string, ending: string): string {
  const name = title
    .replace(/[\p{Cc}\p{Cf}\\/:*?"<>|.]+/gu, " ")
    .trim()
    .replace(/\s+/gu, "-");
  return `${Array.from(name).slice(0, 60).join("") || "minke"}.${ending}`;
}

export class ImportError extends Error {}

function fail(where: string, expected: string): never {
  throw new ImportError(`${where}: ${expected}`);
}

function limited(value: JsonObject, name: string, most: number): number | null {
  const number = numberAt(value, name);
  return number !== null && number <= most ? number : null;
}

// Settings that somebody wrote; what is out of range becomes the server's default. null if `value`
// is no object.
export function readSettings(value: unknown): AnswerSettings | null {
  if (!isObject(value)) return null;
  const maxTokens = limited(value, "maxTokens", 1e9);
  const seed = limited(value, "seed", Number.MAX_SAFE_INTEGER);
  return {
    system: textAt(value, "system"),
    thinking: value["thinking"] !== false,
    temperature: limited(value, "temperature", 2),
    topP: limited(value, "topP", 1),
    maxTokens: maxTokens === null || maxTokens < 1 ? null : Math.floor(maxTokens),
    seed: seed === null ? null : Math.floor(seed),
  };
}

function readReceipt(value: unknown): Receipt | null {
  if (!isObject(value)) return null;
  return {
    exact: value["exact"] === true,
    promptTokens: numberAt(value, "promptTokens") ?? 0,
    cachedTokens: numberAt(value, "cachedTokens") ?? 0,
    completionTokens: numberAt(value, "completionTokens") ?? 0,
    reasoningTokens: numberAt(value, "reasoningTokens") ?? 0,
    waitSeconds: numberAt(value, "waitSeconds") ?? 0,
    seconds: numberAt(value, "seconds") ?? 0,
    tokensPerSecond: numberAt(value, "tokensPerSecond"),
  };
}

function readProblem(value: unknown): ProblemData | null {
  if (!isObject(value)) return null;
  const kind = PROBLEM_KINDS.find((name) => name === value["kind"]);
  if (!kind) return null;
  return { kind, detail: textAt(value, "detail"), retryAfter: numberAt(value, "retryAfter") ?? 0 };
}

const STATES: readonly MessageState[] = ["done", "running", "stopped", "broken"];

function readMessage(value: unknown, where: string, earlier: ReadonlySet<string>): Message {
  if (!isObject(value)) fail(where, "expected an object");
  const id = textAt(value, "id");
  if (!id || earlier.has(id)) fail(`${where}.id`, "expected a text that no message before it has");
  const parent = value["parent"] ?? null;
  if (parent !== null && (typeof parent !== "string" || !earlier.has(parent))) {
    fail(`${where}.parent`, "expected null or the id of a message before it");
  }
  const role = value["role"];
  if (role !== "user" && role !== "assistant") {
    fail(`${where}.role`, 'expected "user" or "assistant"');
  }
  if (typeof value["text"] !== "string") fail(`${where}.text`, "expected a text");
  return {
    id,
    parent,
    role,
    text: value["text"],
    thinking: textAt(value, "thinking"),
    state: STATES.find((state) => state === value["state"]) ?? "done",
    created: numberAt(value, "created") ?? 0,
    model: textAt(value, "model"),
    finish: textAt(value, "finish"),
    problem: readProblem(value["problem"]),
    receipt: readReceipt(value["receipt"]),
  };
}

function readConversation(value: unknown, where: string): Conversation {
  if (!isObject(value)) fail(where, "expected an object");
  if (!Array.isArray(value["messages"])) fail(`${where}.messages`, "expected an array");
  const ids = new Set<string>();
  const messages = value["messages"].map((item: unknown, index) => {
    const message = readMessage(item, `${where}.messages[${index}]`, ids);
    ids.add(message.id);
    return message;
  });
  const leaf = textAt(value, "leaf");
  const first = messages[0];
  return settle({
    id: textAt(value, "id") || newId(),
    title: textAt(value, "title") || titleFrom(first?.text ?? ""),
    titled: value["titled"] === true,
    created: numberAt(value, "created") ?? 0,
    updated: numberAt(value, "updated") ?? 0,
    settings: readSettings(objectAt(value, "settings"))!,
    leaf: ids.has(leaf) ? leaf : (messages.at(-1)?.id ?? null),
    messages,
  });
}

// Conversations of a file that toJson() wrote, or somebody else. Throws ImportError, which names
// the place in the file.
export function fromJson(text: string): Conversation[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    fail("file", "expected JSON");
  }
  if (!isObject(file) || file["format"] !== FORMAT) fail("format", `expected "${FORMAT}"`);
  if (file["version"] !== VERSION) fail("version", `expected ${VERSION}`);
  if (!Array.isArray(file["conversations"])) fail("conversations", "expected an array");
  return file["conversations"].map((item: unknown, index) =>
    readConversation(item, `conversations[${index}]`),
  );
}
