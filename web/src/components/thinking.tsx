import { useState } from "preact/hooks";
import { t } from "../i18n/i18n";
import type { Progress } from "../state/answering";
import type { Message } from "../state/conversation";
import { Icon } from "./icon";
import { Markdown } from "./markdown";

// What the model thought, closed until somebody wants to see it.
export function Thinking(props: { message: Message; progress: Progress | undefined }) {
  const { message, progress } = props;
  const [open, setOpen] = useState(false);
  if (!message.thinking) return null;
  const now = message.state === "running" && !message.text;
  const receipt = message.receipt;
  const count = progress?.thinkingPieces ?? receipt?.reasoningTokens ?? 0;
  const key = receipt?.exact && !progress ? "chat.tokens" : "chat.about_tokens";
  return (
    <details class="thinking" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="thought" />
        <span class={now ? "thinking-now" : undefined}>
          {t(now ? "chat.thinking_now" : "chat.thought")}
        </span>
        {count > 0 && <span class="quiet figures">{t(key, { count })}</span>}
      </summary>
      {open && <Markdown text={message.thinking} />}
    </details>
  );
}
