import { signal } from "@preact/signals";
import type { ChatEvent, ChatMessage, ChatRequest, Usage } from "../api/chat";
import { streamChat } from "../api/chat";
import { Problem } from "../api/problem";
import type { AnswerSettings, Conversation, Message, Receipt } from "./conversation";
import { addAnswer, addQuestion, changeMessage, newConversation, pathOf } from "./conversation";
import { library } from "./library";
import { answerSettings } from "./preferences";
import { askServer, modelName } from "./server";
import { beHere } from "./view";

// What is known of an answer while it comes. Times are those of performance.now().
export interface Progress {
  started: number;
  first: number | null; // of the first piece
  thinkingPieces: number; // servers send about a token a piece
  pieces: number; // thinking included
}

// Answers that are coming, by the ids of their messages.
export const progress = signal<ReadonlyMap<string, Progress>>(new Map());

// The message that waits for a key, to be answered as soon as there is one.
export const waitsForKey = signal<{ conversation: string; message: string } | null>(null);

const controllers = new Map<string, AbortController>();
// Pieces are gathered for so long before they are drawn.
const DRAW_MILLISECONDS = 50;
// Answers that come faster than this came in one piece, which says nothing about a speed.
const SHORTEST_SECONDS = 0.1;

function setProgress(id: string, value: Progress | null): void {
  const next = new Map(progress.value);
  if (value) next.set(id, value);
  else next.delete(id);
  progress.value = next;
}

export function buildRequest(
  settings: AnswerSettings,
  history: Message[],
  model: string,
): ChatRequest {
  const messages: ChatMessage[] = history
    // An answer that failed before its first word says nothing.
    .filter((message) => message.role === "user" || message.text !== "")
    .map((message) => ({ role: message.role, content: message.text }));
  if (settings.system) messages.unshift({ role: "system", content: settings.system });
  return {
    model,
    messages,
    temperature: settings.temperature ?? undefined,
    top_p: settings.topP ?? undefined,
    max_tokens: settings.maxTokens ?? undefined,
    seed: settings.seed ?? undefined,
    thinking: { type: settings.thinking ? "enabled" : "disabled" },
  };
}

// One answer on its way: what has come, and how it is drawn into the library.
class Answer {
  private text = "";
  private thinking = "";
  private finish = "";
  private usage: Usage | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private state: Progress = {
    started: performance.now(),
    first: null,
    thinkingPieces: 0,
    pieces: 0,
  };

  constructor(
    private readonly conversation: string,
    private readonly message: string,
  ) {
    setProgress(message, this.state);
  }

  hear(event: ChatEvent): void {
    if (event.type === "finish") {
      this.finish = event.reason;
    } else if (event.type === "usage") {
      this.usage = event.usage;
    } else {
      this.text += event.text;
      this.thinking += event.thinking;
      this.state = {
        ...this.state,
        first: this.state.first ?? performance.now(),
        pieces: this.state.pieces + 1,
        thinkingPieces: this.state.thinkingPieces + (event.thinking ? 1 : 0),
      };
      this.timer ??= setTimeout(() => this.draw({}), DRAW_MILLISECONDS);
    }
  }

  end(change: Partial<Message>): void {
    const nothing = this.state.pieces === 0 && !this.usage;
    this.draw({ finish: this.finish, receipt: nothing ? null : this.receipt(), ...change });
    setProgress(this.message, null);
    library.flush();
  }

  private draw(change: Partial<Message>): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const drawn = { text: this.text, thinking: this.thinking, ...change };
    library.update(this.conversation, (conversation) =>
      changeMessage(conversation, this.message, drawn),
    );
    setProgress(this.message, this.state);
  }

  private receipt(): Receipt {
    const now = performance.now();
    const { started, first, pieces, thinkingPieces } = this.state;
    const tokens = this.usage?.completionTokens ?? pieces;
    const writing = (now - (first ?? now)) / 1000;
    return {
      exact: this.usage !== null,
      promptTokens: this.usage?.promptTokens ?? 0,
      cachedTokens: this.usage?.cachedTokens ?? 0,
      completionTokens: tokens,
      reasoningTokens: this.usage?.reasoningTokens ?? thinkingPieces,
      waitSeconds: ((first ?? now) - started) / 1000,
      seconds: (now - started) / 1000,
      // The first token belongs to the waiting.
      tokensPerSecond:
        this.usage?.tokensPerSecond ??
        (writing >= SHORTEST_SECONDS && tokens > 1 ? (tokens - 1) / writing : null),
    };
  }
}

// Lets the model answer the message `parent`, beside the answers it may have already.
async function answer(conversationId: string, parent: string): Promise<void> {
  const before = library.get(conversationId);
  if (!before) return;
  const asked = { ...before, leaf: parent };
  const request = buildRequest(asked.settings, pathOf(asked), modelName.value);
  const running = addAnswer(asked, parent, modelName.value, Date.now());
  const message = running.leaf!;
  library.put(running);
  controllers.get(conversationId)?.abort();
  const controller = new AbortController();
  controllers.set(conversationId, controller);
  library.begin(conversationId, () => controller.abort());
  const coming = new Answer(conversationId, message);
  try {
    await streamChat(request, controller.signal, (event) => coming.hear(event));
    coming.end({ state: "done" });
  } catch (error) {
    // Whoever leaves the page ends its connections, which is no fault of theirs.
    await beHere();
    if (controller.signal.aborted) {
      coming.end({ state: "stopped" });
    } else {
      const problem = error instanceof Problem ? error : new Problem("garbled", String(error));
      coming.end({ state: "broken", problem: problem.data() });
      if (problem.kind === "key") waitsForKey.value = { conversation: conversationId, message };
      if (problem.kind === "unreachable" || problem.kind === "broken_off") void askServer();
    }
  } finally {
    if (controllers.get(conversationId) === controller) {
      controllers.delete(conversationId);
      library.end(conversationId);
    }
  }
}

// Asks in the open conversation, or in a new one.
export function ask(text: string): void {
  const now = Date.now();
  const open: Conversation = library.open.value ?? newConversation(answerSettings.value, now);
  const asked = addQuestion(open, open.leaf, text, now);
  library.put(asked);
  library.current.value = asked.id;
  void answer(asked.id, asked.leaf!);
}

// Asks `text` in the place of the question `message`, which stays as another version.
export function askInstead(conversation: Conversation, message: Message, text: string): void {
  const asked = addQuestion(conversation, message.parent, text, Date.now());
  library.put(asked);
  void answer(asked.id, asked.leaf!);
}

// Another answer to the question that `message` answers, or is. One that never got a word goes.
export function answerAgain(conversation: Conversation, message: Message): void {
  const question = message.role === "user" ? message.id : message.parent;
  if (question === null) return;
  if (message.role === "assistant" && !message.text && !message.thinking) {
    const messages = conversation.messages.filter((other) => other.id !== message.id);
    library.put({ ...conversation, leaf: question, messages });
  }
  void answer(conversation.id, question);
}

// The answer that failed for want of a key, now that there is one.
export function answerWithKey(): void {
  const waiting = waitsForKey.value;
  waitsForKey.value = null;
  const conversation = waiting && library.get(waiting.conversation);
  const failed = conversation?.messages.find((message) => message.id === waiting?.message);
  if (conversation && failed) answerAgain(conversation, failed);
}

export function stop(conversationId: string): void {
  library.stop(conversationId);
}
