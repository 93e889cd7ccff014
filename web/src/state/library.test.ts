import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Conversation } from "./conversation";
import {
  addAnswer,
  addQuestion,
  changeMessage,
  DEFAULT_SETTINGS,
  newConversation,
} from "./conversation";
import { openShelf } from "./database";
import { Library } from "./library";

function conversation(text: string, time = 1): Conversation {
  return addQuestion(newConversation(DEFAULT_SETTINGS, time), null, text, time);
}

async function loaded(): Promise<Library> {
  const library = new Library();
  await library.load(openShelf);
  return library;
}

// What a page finds that is opened after the others. Writes go to the database behind the back of
// whoever changes something, so that this has to be polled.
async function found(): Promise<Conversation[]> {
  const library = await loaded();
  const list = library.list.value;
  library.close();
  return list;
}

const foundTitles = async () => (await found()).map(({ title }) => title);

// A question that `owner` answers.
function answering(owner: Library, stop = () => {}) {
  const asked = conversation("question");
  const running = addAnswer(asked, asked.leaf!, "model", 2);
  owner.put(running);
  owner.begin(running.id, stop);
  return { running, answer: running.leaf! };
}

const stateIn = (library: Library, id: string) => library.get(id)?.messages[1]?.state;

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

describe("Library", () => {
  it("keeps conversations for the next visit, newest first", async () => {
    const before = await loaded();
    before.put(conversation("old", 1));
    before.put(conversation("new", 2));
    before.close();
    await expect.poll(foundTitles).toEqual(["new", "old"]);
  });

  it("keeps what was put while it loaded", async () => {
    const library = new Library();
    const loading = library.load(openShelf);
    library.put(conversation("early"));
    await loading;
    expect(library.list.value).toHaveLength(1);
    library.close();
  });

  it("saves by itself after a while", async () => {
    const before = await loaded();
    before.put(conversation("kept"));
    await expect.poll(foundTitles).toEqual(["kept"]);
    before.close();
  });

  it("settles answers that broke off with the page", async () => {
    const before = await loaded();
    const asked = conversation("question");
    before.put(addAnswer(asked, asked.leaf!, "model", 2));
    before.close();
    await expect.poll(async () => (await found())[0]?.messages[1]?.state).toBe("broken");
  });

  it("removes for good, and closes what was open", async () => {
    const before = await loaded();
    const gone = conversation("gone");
    before.put(gone);
    before.put(conversation("stays"));
    before.flush();
    await expect.poll(foundTitles).toHaveLength(2);
    before.current.value = gone.id;
    before.remove(gone.id);
    expect(before.current.value).toBeNull();
    expect(before.open.value).toBeNull();
    before.update(gone.id, (it) => ({ ...it, title: "back?" }));
    before.close();
    await expect.poll(foundTitles).toEqual(["stays"]);
  });

  it("works, and says so, where nothing can be kept", async () => {
    const library = new Library();
    await library.load(() => Promise.reject(new Error("no database")));
    expect(library.kept.value).toBe(false);
    library.put(conversation("here"));
    expect(library.list.value).toHaveLength(1);
    library.close();
  });

  it("hears what another tab has saved and removed", async () => {
    const mine = await loaded();
    const other = await loaded();
    const shared = conversation("shared");
    mine.put(shared);
    mine.flush();
    await expect.poll(() => other.list.value.map(({ title }) => title)).toEqual(["shared"]);
    other.remove(shared.id);
    await expect.poll(() => mine.list.value).toEqual([]);
    mine.close();
    other.close();
  });

  it("shows what another tab answers, and its end", async () => {
    const [owner, other] = [await loaded(), await loaded()];
    const { running, answer } = answering(owner);
    await expect.poll(() => stateIn(other, running.id)).toBe("running");
    owner.update(running.id, (it) => changeMessage(it, answer, { text: "more", state: "done" }));
    owner.end(running.id);
    owner.flush();
    await expect.poll(() => stateIn(other, running.id)).toBe("done");
    expect(other.get(running.id)?.messages[1]?.text).toBe("more");
    owner.close();
    other.close();
  });

  it("settles what another tab answered when that one goes without a word", async () => {
    const [owner, other] = [await loaded(), await loaded()];
    const { running } = answering(owner);
    await expect.poll(() => stateIn(other, running.id)).toBe("running");
    // As long as the owner is there, silence is patience.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    expect(stateIn(other, running.id)).toBe("running");
    owner.close();
    await expect.poll(() => stateIn(other, running.id)).toBe("broken");
    other.close();
  });

  it("opened while another tab answers, does not take it for broken", async () => {
    const owner = await loaded();
    const { running } = answering(owner);
    await expect.poll(foundTitles).toHaveLength(1);
    const late = await loaded();
    await expect.poll(() => stateIn(late, running.id)).toBe("running");
    owner.close();
    await expect.poll(() => stateIn(late, running.id)).toBe("broken");
    late.close();
  });

  it("stops what another tab answers", async () => {
    const [owner, other] = [await loaded(), await loaded()];
    const stopped = vi.fn();
    const { running } = answering(owner, stopped);
    await expect.poll(() => stateIn(other, running.id)).toBe("running");
    other.stop("another");
    other.stop(running.id);
    await expect.poll(() => stopped.mock.calls.length).toBe(1);
    owner.close();
    other.close();
  });
});
