import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n";
import type { Conversation } from "../state/conversation";
import { pathOf } from "../state/conversation";
import { AssistantMessage } from "./assistant_message";
import { IconButton } from "./icon_button";
import { UserMessage } from "./user_message";

// Nearer to the end than this, the view follows what comes.
const NEAR_PIXELS = 60;

export function MessageList(props: { conversation: Conversation }) {
  const { conversation } = props;
  const path = pathOf(conversation);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [away, setAway] = useState(false);
  const last = path.at(-1);

  const toEnd = () => {
    const view = scroller.current;
    if (view) view.scrollTop = view.scrollHeight;
  };
  // A new question, or another conversation: its end is wanted.
  useLayoutEffect(() => {
    follows.current = true;
    toEnd();
  }, [conversation.id, last?.id]);
  useEffect(() => {
    if (!content.current) return;
    const observer = new ResizeObserver(() => {
      if (follows.current) toEnd();
    });
    observer.observe(content.current);
    return () => observer.disconnect();
  }, []);
  const onScroll = () => {
    const view = scroller.current;
    if (!view) return;
    follows.current = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_PIXELS;
    setAway(!follows.current);
  };

  return (
    <div class="messages-frame">
      <div
        ref={scroller}
        class="messages"
        tabindex={0}
        role="region"
        aria-label={t("chat.messages")}
        onScroll={onScroll}
      >
        <div ref={content} class="column">
          {path.map((message) =>
            message.role === "user" ? (
              <UserMessage
                key={message.id}
                conversation={conversation}
                message={message}
                last={message === last}
              />
            ) : (
              <AssistantMessage key={message.id} conversation={conversation} message={message} />
            ),
          )}
        </div>
      </div>
      {away && (
        <IconButton icon="down" label={t("chat.latest")} class="to-latest" onClick={toEnd} />
      )}
    </div>
  );
}
