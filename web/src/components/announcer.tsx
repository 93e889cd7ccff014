import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/i18n";
import { announce, announcements, SentenceReader } from "../state/announcements";
import type { Message } from "../state/conversation";
import { pathOf } from "../state/conversation";
import { library } from "../state/library";

const PAUSE_MILLISECONDS = 2500;

function ended(message: Message): string {
  if (message.state === "stopped") return t("live.stopped");
  return t(message.state === "done" ? "live.done" : "live.failed");
}

function answerOf(id: string): Message | undefined {
  return library.open.peek()?.messages.find((message) => message.id === id);
}

// The text for screen readers, out of sight.
export function Announcer() {
  const conversation = library.open.value;
  const last = conversation ? pathOf(conversation).at(-1) : undefined;
  const running = last?.state === "running" ? last.id : null;
  const reader = useRef(new SentenceReader());
  useEffect(() => {
    if (running === null) return;
    reader.current = new SentenceReader();
    let begun: "nothing" | "thinking" | "text" = "nothing";
    const timer = setInterval(() => {
      const message = answerOf(running);
      if (!message) return;
      if (begun === "nothing" && message.thinking && !message.text) {
        begun = "thinking";
        announce(t("live.thinking"));
      } else if (begun !== "text" && message.text) {
        begun = "text";
        announce(t("live.started"));
      }
      const text = reader.current.next(message.text);
      if (text) announce(text);
    }, PAUSE_MILLISECONDS);
    return () => {
      clearInterval(timer);
      const message = answerOf(running);
      if (!message || message.state === "running") return;
      const text = reader.current.rest(message.text);
      if (text) announce(text);
      announce(ended(message));
    };
  }, [running]);
  return (
    <div class="visually-hidden" role="log" aria-live="polite" aria-relevant="additions">
      {announcements.value.map((item) => (
        <p key={item.id} dir="auto">
          {item.text}
        </p>
      ))}
    </div>
  );
}
