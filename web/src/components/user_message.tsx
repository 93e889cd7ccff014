import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n";
import { answerAgain, askInstead } from "../state/answering";
import type { Conversation, Message } from "../state/conversation";
import { focusComposer } from "../state/view";
import { CopyButton } from "./copy_button";
import { IconButton } from "./icon_button";
import { VersionSwitch } from "./version_switch";

interface Props {
  conversation: Conversation;
  message: Message;
  last: boolean;
}

function Editor(props: Props & { onDone: () => void }) {
  const { conversation, message, onDone } = props;
  const [text, setText] = useState(message.text);
  const field = useRef<HTMLTextAreaElement>(null);
  // Before the field is painted: whoever selects or types at once is not moved to the end afterwards.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(message.text.length, message.text.length);
  }, []);
  const send = () => {
    if (!text.trim()) return;
    askInstead(conversation, message, text);
    onDone();
    focusComposer();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      onDone();
    }
  };
  return (
    <div class="editor">
      <textarea
        ref={field}
        class="grows"
        dir="auto"
        aria-label={t("chat.edit_label")}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="editor-actions">
        <button type="button" class="button button-small" onClick={onDone}>
          {t("chat.cancel")}
        </button>
        <button
          type="button"
          class="button button-small button-main"
          disabled={!text.trim()}
          onClick={send}
        >
          {t("chat.edit_send")}
        </button>
      </div>
    </div>
  );
}

export function UserMessage(props: Props) {
  const { conversation, message, last } = props;
  const [editing, setEditing] = useState(false);
  return (
    <article class="message message-user" aria-label={t("chat.you")}>
      <h2 class="visually-hidden">{t("chat.you")}</h2>
      {editing ? (
        <Editor {...props} onDone={() => setEditing(false)} />
      ) : (
        <>
          <div class="bubble" dir="auto">
            {message.text}
          </div>
          <div class="actions">
            <VersionSwitch conversation={conversation} message={message} />
            <IconButton icon="edit" label={t("chat.edit")} onClick={() => setEditing(true)} />
            <CopyButton text={message.text} label={t("chat.copy")} />
            {last && (
              <IconButton
                icon="again"
                label={t("problem.retry")}
                onClick={() => answerAgain(conversation, message)}
              />
            )}
          </div>
        </>
      )}
    </article>
  );
}
