import { describe, expect, it } from "vitest";
import type { Conversation } from "./conversation";
import {
  addAnswer,
  addQuestion,
  changeMessage,
  DEFAULT_SETTINGS,
  matches,
  newConversation,
  pathOf,
  settle,
  showVersion,
  siblingsOf,
  titleFrom,
} from "./conversation";

const texts = (conversation: Conversation) => pathOf(conversation).map(({ text }) => text);

function say(conversation: Conversation, parent: string | null, text: string): Conversation {
  return addQuestion(conversation, parent, text, 1);
}

function reply(conversation: Conversation, text: string): Conversation {
  const added = addAnswer(conversation, conversation.leaf!, "model", 2);
  return changeMessage(added, added.leaf!, { text, state: "done" });
}

function twoTurns(): Conversation {
  const empty = newConversation(DEFAULT_SETTINGS, 0);
  const first = reply(say(empty, null, "first"), "one");
  return reply(say(first, first.leaf, "second"), "two");
}

describe("conversation", () => {
  it("shows the path to its leaf", () => {
    expect(texts(twoTurns())).toEqual(["first", "one", "second", "two"]);
    expect(texts(newConversation(DEFAULT_SETTINGS, 0))).toEqual([]);
  });

  it("keeps both versions of an edited question", () => {
    const before = twoTurns();
    const second = pathOf(before)[2]!;
    const after = reply(say(before, second.parent, "second, better"), "two, better");
    expect(texts(after)).toEqual(["first", "one", "second, better", "two, better"]);
    const edited = pathOf(after)[2]!;
    expect(siblingsOf(after, edited).map(({ text }) => text)).toEqual(["second", "second, better"]);
    expect(texts(showVersion(after, second.id))).toEqual(["first", "one", "second", "two"]);
  });

  it("keeps both answers to a question, and goes down to the newest below", () => {
    const before = twoTurns();
    const [first, one] = pathOf(before);
    const after = reply({ ...before, leaf: first!.id }, "uno");
    expect(texts(after)).toEqual(["first", "uno"]);
    expect(texts(showVersion(after, one!.id))).toEqual(["first", "one", "second", "two"]);
  });

  it("gives first questions as siblings too", () => {
    const before = twoTurns();
    const after = say(before, null, "other beginning");
    expect(siblingsOf(after, pathOf(after)[0]!)).toHaveLength(2);
  });

  it("is named by its first question, until a person names it", () => {
    const conversation = twoTurns();
    expect(conversation.title).toBe("first");
    expect(say(conversation, null, "edited").title).toBe("edited");
    const named = { ...conversation, title: "mine", titled: true };
    expect(say(named, null, "edited").title).toBe("mine");
  });

  it("cuts long titles between characters", () => {
    expect(titleFrom("  two\n lines ")).toBe("two lines");
    const whales = titleFrom("🐋".repeat(100));
    expect(Array.from(whales)).toHaveLength(60);
    expect(whales.endsWith("🐋…")).toBe(true);
  });

  it("is found by words of its title and of all versions, in any case", () => {
    const conversation = { ...twoTurns(), title: "Größe der Wale" };
    expect(matches(conversation, "wale GRÖSSE".replace("SS", "ß"))).toBe(true);
    expect(matches(conversation, "SECOND one")).toBe(true);
    expect(matches(conversation, "second three")).toBe(false);
    expect(matches(conversation, "  ")).toBe(true);
  });

  it("settles answers that nobody brings any more", () => {
    const empty = newConversation(DEFAULT_SETTINGS, 0);
    const asked = say(empty, null, "first");
    const running = addAnswer(asked, asked.leaf!, "model", 2);
    expect(settle(running).messages.at(-1)!.state).toBe("broken");
    expect(settle(asked)).toBe(asked);
  });
});
