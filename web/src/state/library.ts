import { computed, signal } from "@preact/signals";
import type { Conversation } from "./conversation";
import { isRunning, settle } from "./conversation";
import type { Shelf } from "./database";
import { Elsewhere } from "./elsewhere";

const SAVE_MILLISECONDS = 800;
const CHANNEL = "minke.tabs";

// What tabs tell one another, by the ids of conversations.
type Note =
  | { kind: "saved"; conversation: string | null } // null: all are gone
  | { kind: "who" } // is answering what?
  | { kind: "answering"; conversations: string[] }
  | { kind: "stop"; conversation: string }; // whoever answers it

// All conversations, in memory and on the shelf. Tabs tell one another of what they have saved, and
// each owns the answers that it has asked for: their state is what the owner says, or "broken" if
// there is no owner any more.
export class Library {
  readonly loaded = signal(false);
  // False where the browser refuses to keep anything.
  readonly kept = signal(true);
  readonly current = signal<string | null>(null);
  private readonly all = signal<ReadonlyMap<string, Conversation>>(new Map());
  readonly list = computed(() =>
    [...this.all.value.values()].sort((a, b) => b.updated - a.updated),
  );
  readonly open = computed(() => {
    const id = this.current.value;
    return id === null ? null : (this.all.value.get(id) ?? null);
  });

  private shelf: Shelf | null = null;
  private readonly unsaved = new Map<string, ReturnType<typeof setTimeout>>();
  // Those that this tab answers, each with what stops it.
  private readonly mine = new Map<string, () => void>();
  private readonly elsewhere = new Elsewhere(
    () => this.tell({ kind: "who" }),
    (id) => this.settle(id),
  );
  private channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);

  async load(open: () => Promise<Shelf>): Promise<void> {
    try {
      this.shelf = await open();
      const stored = await this.shelf.all();
      const known = this.all.value;
      this.all.value = new Map([
        ...stored.map((item) => [item.id, settle(item)] as const),
        ...known,
      ]);
    } catch {
      this.shelf = null;
      this.kept.value = false;
    }
    this.loaded.value = true;
    if (this.channel) {
      this.channel.onmessage = (message: MessageEvent<Note>) => this.hear(message.data);
      this.tell({ kind: "who" });
    }
  }

  get(id: string): Conversation | undefined {
    return this.all.value.get(id);
  }

  put(conversation: Conversation): void {
    this.all.value = new Map(this.all.value).set(conversation.id, conversation);
    if (this.unsaved.has(conversation.id)) return;
    const timer = setTimeout(() => this.save(conversation.id), SAVE_MILLISECONDS);
    this.unsaved.set(conversation.id, timer);
  }

  // Changes what is there at the moment; conversations that are gone stay so.
  update(id: string, change: (conversation: Conversation) => Conversation): void {
    const conversation = this.get(id);
    if (conversation) this.put(change(conversation));
  }

  remove(id: string): void {
    this.forget(id);
    this.write((shelf) => shelf.remove(id), id);
  }

  clear(): void {
    for (const id of [...this.all.value.keys()]) this.forget(id);
    this.write((shelf) => shelf.clear(), null);
  }

  // This tab answers the conversation from here on, until the end; `stop` would stop it.
  begin(id: string, stop: () => void): void {
    this.mine.set(id, stop);
    this.elsewhere.over(id);
    this.flush();
  }

  end(id: string): void {
    this.mine.delete(id);
  }

  // Stops the answer to a conversation, whichever tab it comes to.
  stop(id: string): void {
    const stop = this.mine.get(id);
    if (stop) stop();
    else this.tell({ kind: "stop", conversation: id });
  }

  // Saves what has changed at once, as before the page goes away.
  flush(): void {
    for (const id of [...this.unsaved.keys()]) this.save(id);
  }

  close(): void {
    this.flush();
    this.elsewhere.close();
    this.channel?.close();
    this.channel = null;
  }

  private forget(id: string): void {
    clearTimeout(this.unsaved.get(id));
    this.unsaved.delete(id);
    const rest = new Map(this.all.value);
    rest.delete(id);
    this.all.value = rest;
    if (this.current.value === id) this.current.value = null;
  }

  private save(id: string): void {
    clearTimeout(this.unsaved.get(id));
    this.unsaved.delete(id);
    const conversation = this.get(id);
    if (conversation) this.write((shelf) => shelf.put(conversation), id);
  }

  private write(change: (shelf: Shelf) => Promise<void>, id: string | null): void {
    if (!this.shelf) return;
    change(this.shelf).then(
      () => this.tell({ kind: "saved", conversation: id }),
      () => (this.kept.value = false),
    );
  }

  private tell(note: Note): void {
    this.channel?.postMessage(note);
  }

  private hear(note: Note): void {
    if (note.kind === "saved") {
      void this.reread(note.conversation);
    } else if (note.kind === "who") {
      const conversations = [...this.mine.keys()];
      if (conversations.length > 0) this.tell({ kind: "answering", conversations });
    } else if (note.kind === "stop") {
      this.mine.get(note.conversation)?.();
    } else {
      for (const id of note.conversations) this.hearOf(id);
    }
  }

  // Another tab answers the conversation, which may have been taken for broken here.
  private hearOf(id: string): void {
    const known = this.get(id);
    if (known && isRunning(known)) this.elsewhere.heard(id);
    else void this.reread(id);
  }

  // Another tab has changed the conversation `id`, or with null all of them.
  private async reread(id: string | null): Promise<void> {
    if (id === null) {
      for (const known of [...this.all.value.keys()]) this.forget(known);
      return;
    }
    const stored = await this.shelf?.get(id).catch(() => undefined);
    // What is under way here is newer than anything that another tab has.
    if (this.mine.has(id) || this.unsaved.has(id)) return;
    if (stored) this.all.value = new Map(this.all.value).set(id, stored);
    else this.forget(id);
    if (stored && isRunning(stored)) this.elsewhere.heard(id);
    else this.elsewhere.over(id);
  }

  // Nobody answers the conversation any more. Only in memory: should its owner be alive after all,
  // what that one saves is what counts.
  private settle(id: string): void {
    const known = this.get(id);
    if (known && !this.mine.has(id)) this.all.value = new Map(this.all.value).set(id, settle(known));
  }
}

export const library = new Library();
