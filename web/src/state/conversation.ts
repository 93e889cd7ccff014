import type { ProblemData } from "../api/problem";

// What an answer has cost. Counts are the server's own, or estimates if `exact` is false.
export interface Receipt {
  exact: boolean;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number; // thinking included
  reasoningTokens: number;
  waitSeconds: number; // until the first token
  seconds: number; // in all
  tokensPerSecond: number | null; // of writing; null if it was too short to tell
}

// "broken": the page was closed, or the connection ended, while the answer came.
export type MessageState = "done" | "running" | "stopped" | "broken";

export interface Message {
  id: string;
  parent: string | null;
  role: "user" | "assistant";
  text: string;
  thinking: string;
  state: MessageState;
  created: number; // milliseconds since 1970
  model: string; // of an answer
  finish: string; // the server's reason, "length" if the answer ran out of room
  problem: ProblemData | null;
  receipt: Receipt | null;
}

export interface AnswerSettings {
  system: string;
  thinking: boolean;
  // null: what the server has as its default.
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  seed: number | null;
}

// Messages form a tree: an edited question or another answer is a sibling of the first, so that
// nothing is lost. What is shown is the path from a root to `leaf`.
export interface Conversation {
  id: string;
  title: string;
  titled: boolean; // by a person; otherwise from the first message
  created: number;
  updated: number;
  settings: AnswerSettings;
  leaf: string | null;
  messages: Message[]; // parents before children, siblings oldest first
}

export const DEFAULT_SETTINGS: AnswerSettings = {
  system: "",
  thinking: true,
  temperature: null,
  topP: null,
  maxTokens: null,
  seed: null,
};

// `crypto.randomUUID` is missing where the page comes over plain HTTP from another machine.
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function newConversation(settings: AnswerSettings, time: number): Conversation {
  return {
    id: newId(),
    title: "",
    titled: false,
    created: time,
    updated: time,
    settings,
    leaf: null,
    messages: [],
  };
}

function newMessage(role: Message["role"], parent: string | null, time: number): Message {
  return {
    id: newId(),
    parent,
    role,
    text: "",
    thinking: "",
    state: "done",
    created: time,
    model: "",
    finish: "",
    problem: null,
    receipt: null,
  };
}

// The shown messages, first to last.
export function pathOf(conversation: Conversation): Message[] {
  const byId = new Map(conversation.messages.map((message) => [message.id, message]));
  const path: Message[] = [];
  let at = conversation.leaf;
  while (at !== null) {
    const message = byId.get(at);
    if (!message) break;
    path.push(message);
    at = message.parent;
  }
  return path.reverse();
}

export function siblingsOf(conversation: Conversation, message: Message): Message[] {
  return conversation.messages.filter(
    (other) => other.parent === message.parent && other.role === message.role,
  );
}

// Shows `id` and, below it, the newest answers and questions.
export function showVersion(conversation: Conversation, id: string): Conversation {
  let leaf = id;
  for (;;) {
    const next = conversation.messages.findLast((message) => message.parent === leaf);
    if (!next) return { ...conversation, leaf };
    leaf = next.id;
  }
}

const TITLE_CHARACTERS = 60;

export function titleFrom(text: string): string {
  const line = text.trim().split(/\s+/u).join(" ");
  const characters = Array.from(line);
  if (characters.length <= TITLE_CHARACTERS) return line;
  return `${characters
    .slice(0, TITLE_CHARACTERS - 1)
    .join("")
    .trimEnd()}…`;
}

function append(conversation: Conversation, message: Message): Conversation {
  return {
    ...conversation,
    updated: message.created,
    leaf: message.id,
    messages: [...conversation.messages, message],
  };
}

export function addQuestion(
  conversation: Conversation,
  parent: string | null,
  text: string,
  time: number,
): Conversation {
  const asked = append(conversation, { ...newMessage("user", parent, time), text });
  const renamed = asked.titled || (parent !== null && asked.title !== "");
  return renamed ? asked : { ...asked, title: titleFrom(text) };
}

// An answer to the message `parent`, about to come.
export function addAnswer(
  conversation: Conversation,
  parent: string,
  model: string,
  time: number,
): Conversation {
  const message: Message = { ...newMessage("assistant", parent, time), state: "running", model };
  return append(conversation, message);
}

export function changeMessage(
  conversation: Conversation,
  id: string,
  change: Partial<Message>,
): Conversation {
  return {
    ...conversation,
    messages: conversation.messages.map((message) =>
      message.id === id ? { ...message, ...change } : message,
    ),
  };
}

export function isRunning(conversation: Conversation): boolean {
  return conversation.messages.some((message) => message.state === "running");
}

// Answers that were coming when the page was closed have broken off.
export function settle(conversation: Conversation): Conversation {
  if (!isRunning(conversation)) return conversation;
  return {
    ...conversation,
    messages: conversation.messages.map((message) =>
      message.state === "running" ? { ...message, state: "broken" } : message,
    ),
  };
}

// True if the title or a message has each of the words of `query`.
export function matches(conversation: Conversation, query: string): boolean {
  const words = query.toLocaleLowerCase().split(/\s+/u).filter(Boolean);
  if (words.length === 0) return true;
  const texts = [conversation.title, ...conversation.messages.map((message) => message.text)];
  const all = texts.join("\n").toLocaleLowerCase();
  return words.every((word) => all.includes(word));
}
