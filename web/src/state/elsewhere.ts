const ASK_MILLISECONDS = 1000;
// A tab that is busy drawing may be late. One that is declared gone too soon is heard again when it
// saves.
const PATIENCE = 3;

// Conversations that other tabs are answering, as far as these can be heard. A tab that closes, or
// that the browser ends, says nothing: so they are asked again and again. Locks of the browser
// would tell it at once, but a page over plain HTTP from another machine has none.
export class Elsewhere {
  // How often each has been asked for since it was last heard of.
  private readonly asked = new Map<string, number>();
  private timer: ReturnType<typeof setInterval> | undefined;

  // `ask` asks all tabs what they are answering; `gone` hears of what none of them is any more.
  constructor(
    private readonly ask: () => void,
    private readonly gone: (conversation: string) => void,
  ) {}

  heard(conversation: string): void {
    this.asked.set(conversation, 0);
    this.timer ??= setInterval(() => this.tick(), ASK_MILLISECONDS);
  }

  over(conversation: string): void {
    this.asked.delete(conversation);
    if (this.asked.size === 0) this.close();
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.asked.clear();
  }

  private tick(): void {
    for (const [conversation, times] of [...this.asked]) {
      if (times < PATIENCE) {
        this.asked.set(conversation, times + 1);
      } else {
        this.over(conversation);
        this.gone(conversation);
      }
    }
    if (this.asked.size > 0) this.ask();
  }
}
