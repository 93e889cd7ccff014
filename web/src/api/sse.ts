export interface ServerEvent {
  event: string; // "message" unless the server names it
  data: string;
}

// More than any event of a well-meant server.
const MAX_EVENT_CHARACTERS = 8 << 20;

// Reads `text/event-stream` from bytes that may be cut anywhere, within a character too.
// Throws RangeError for an event that never ends.
export class SseParser {
  private readonly decoder = new TextDecoder("utf-8");
  private line = "";
  private event = "";
  private data: string[] = [];
  private size = 0;
  // The last character was a carriage return, so that a line feed belongs to it.
  private afterReturn = false;

  push(bytes: Uint8Array): ServerEvent[] {
    return this.read(this.decoder.decode(bytes, { stream: true }));
  }

  private read(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    let start = 0;
    if (this.afterReturn && text.length > 0) {
      if (text[0] === "\n") start = 1;
      this.afterReturn = false;
    }
    for (let at = start; at < text.length; at++) {
      const character = text[at];
      if (character !== "\n" && character !== "\r") continue;
      this.line += text.slice(start, at);
      if (character === "\r") {
        if (at + 1 === text.length) this.afterReturn = true;
        else if (text[at + 1] === "\n") at++;
      }
      start = at + 1;
      this.endLine(events);
    }
    this.line += text.slice(start);
    if (this.line.length + this.size > MAX_EVENT_CHARACTERS) {
      throw new RangeError(`an event has more than ${MAX_EVENT_CHARACTERS} characters`);
    }
    return events;
  }

  private endLine(events: ServerEvent[]): void {
    const line = this.line;
    this.line = "";
    if (line === "") {
      if (this.data.length > 0) {
        events.push({ event: this.event || "message", data: this.data.join("\n") });
      }
      this.event = "";
      this.data = [];
      this.size = 0;
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment, which keeps the connection open
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") {
      this.data.push(value);
      this.size += value.length + 1;
    } else if (field === "event") {
      this.event = value;
    }
  }
}
