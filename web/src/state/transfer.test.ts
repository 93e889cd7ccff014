import { describe, expect, it } from "vitest";
import type { Conversation } from "./conversation";
import {
  addAnswer,
  addQuestion,
  changeMessage,
  DEFAULT_SETTINGS,
  newConversation,
} from "./conversation";
import { fileName, fromJson, ImportError, readSettings, toJson, toMarkdown } from "./transfer";

function example(): Conversation {
  const settings = { ...DEFAULT_SETTINGS, system: "Be brief.", temperature: 0.5, seed: 7 };
  const asked = addQuestion(newConversation(settings, 1), null, "Why?", 2);
  const answering = addAnswer(asked, asked.leaf!, "deep", 3);
  const receipt = {
    exact: true,
    promptTokens: 7,
    cachedTokens: 4,
    completionTokens: 9,
    reasoningTokens: 5,
    waitSeconds: 0.5,
    seconds: 2,
    tokensPerSecond: 5.5,
  };
  const change = { text: "Because.", thinking: "Hm.\nSo.", state: "done", receipt } as const;
  return changeMessage(answering, answering.leaf!, change);
}

interface File {
  format: string;
  version: number;
  conversations: { messages: Record<string, unknown>[] }[];
}

function damaged(damage: (file: File) => void): string {
  const file = JSON.parse(toJson([example()])) as File;
  damage(file);
  return JSON.stringify(file);
}

describe("JSON", () => {
  it("comes back as it went", () => {
    const conversations = [example(), example()];
    expect(fromJson(toJson(conversations))).toEqual(conversations);
  });

  it.each<[string, (file: File) => void]>([
    ["format", (file) => (file.format = "other")],
    ["version", (file) => (file.version = 2)],
    ["conversations", (file) => Object.assign(file, { conversations: {} })],
    ["conversations[0]", (file) => Object.assign(file, { conversations: [7] })],
    ["conversations[0].messages", (file) => Object.assign(file.conversations[0]!, { messages: 1 })],
    ["messages[1].parent", (file) => (file.conversations[0]!.messages[1]!["parent"] = "nobody")],
    [
      "messages[0].parent",
      (file) => {
        const [first, second] = file.conversations[0]!.messages;
        first!["parent"] = second!["id"];
      },
    ],
    [
      "messages[1].id",
      (file) => {
        const [first, second] = file.conversations[0]!.messages;
        second!["id"] = first!["id"];
      },
    ],
    ["messages[0].role", (file) => (file.conversations[0]!.messages[0]!["role"] = "system")],
    ["messages[1].text", (file) => (file.conversations[0]!.messages[1]!["text"] = ["x"])],
  ])("names the place of a fault: %s", (place, damage) => {
    const read = () => fromJson(damaged(damage));
    expect(read).toThrow(ImportError);
    expect(read).toThrow(place);
  });

  it("refuses what is no JSON", () => {
    expect(() => fromJson("# A heading")).toThrow(ImportError);
  });

  it("takes the last message for a leaf that is not there", () => {
    const text = damaged((file) => Object.assign(file.conversations[0]!, { leaf: "nobody" }));
    const [read] = fromJson(text);
    expect(read!.leaf).toBe(read!.messages[1]!.id);
  });
});

describe("settings", () => {
  it("leaves out what is out of range", () => {
    const settings = { temperature: 3, topP: -1, maxTokens: 0, seed: "1", system: 4 };
    expect(readSettings(settings)).toEqual(DEFAULT_SETTINGS);
    expect(readSettings(null)).toBeNull();
  });
});

describe("Markdown", () => {
  it("has what is shown", () => {
    const words = { you: "You", thinking: "Thought", system: "System" };
    expect(toMarkdown(example(), words)).toBe(
      "# Why?\n\n**System**\n\n> Be brief.\n\n## You\n\nWhy?\n\n" +
        "## deep\n\n**Thought**\n\n> Hm.\n> So.\n\nBecause.\n",
    );
  });
});

describe("fileName", () => {
  it("has nothing that a file system minds", () => {
    expect(fileName('a/b\\c: "d" <e>?..', "md")).toBe("a-b-c-d-e.md");
    expect(fileName("鲸 与 海", "json")).toBe("鲸-与-海.json");
    expect(fileName("../..", "md")).toBe("minke.md");
  });
});
