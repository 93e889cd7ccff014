import { computed, signal } from "@preact/signals";
import type { Conversation } from "./conversation";
import { settle } from "./conversation";
import type { Shelf } from "./database";

const SAVE_MILLISECONDS = 800;
const CHANNEL = "minke.conversations";

// All conversations, in memory and on the shelf. Tabs tell one another of what they have saved.
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
      this.channel.onmessage = (message: MessageEvent<string | null>) => this.reread(message.data);
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

  // Saves what has changed at once, as before the page goes away.
  flush(): void {
    for (const id of [...this.unsaved.keys()]) this.save(id);
  }

  close(): void {
    this.flush();
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
      () => this.channel?.postMessage(id),
      () => (this.kept.value = false),
    );
  }

  // Another tab has changed the conversation `id`, or with null all of them.
  private async reread(id: string | null): Promise<void> {
    if (id === null) {
      for (const known of [...this.all.value.keys()]) this.forget(known);
      return;
    }
    const stored = await this.shelf?.get(id).catch(() => undefined);
    const mine = this.get(id);
    const running = mine?.messages.some((message) => message.state === "running") ?? false;
    // What is under way here is newer than anything that another tab has.
    if (running || this.unsaved.has(id)) return;
    if (stored) this.all.value = new Map(this.all.value).set(id, stored);
    else this.forget(id);
  }
}

export const library = new Library();
