import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n";
import type { Conversation } from "../state/conversation";
import { library } from "../state/library";
import { dialog, drawerOpen } from "../state/view";
import { IconButton } from "./icon_button";

function RenameField(props: { conversation: Conversation; onDone: () => void }) {
  const { conversation, onDone } = props;
  const field = useRef<HTMLInputElement>(null);
  // Before the field is painted: what is typed at once replaces the name, and is not selected itself.
  useLayoutEffect(() => field.current?.select(), []);
  const keep = () => {
    const title = field.current?.value.trim() ?? "";
    if (title && title !== conversation.title) {
      library.update(conversation.id, (it) => ({ ...it, title, titled: true }));
    }
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Enter") keep();
    if (event.key !== "Escape") return;
    // Not also to stop an answer or close the drawer.
    event.stopPropagation();
    onDone();
  };
  return (
    <input
      ref={field}
      class="rename"
      dir="auto"
      defaultValue={conversation.title}
      aria-label={t("list.name")}
      maxLength={200}
      onBlur={keep}
      onKeyDown={onKeyDown}
    />
  );
}

export function ConversationItem(props: { conversation: Conversation }) {
  const { conversation } = props;
  const [renaming, setRenaming] = useState(false);
  const current = library.current.value === conversation.id;
  const title = conversation.title || t("list.untitled");
  const running = conversation.messages.some((message) => message.state === "running");
  const open = () => {
    library.current.value = conversation.id;
    drawerOpen.value = false;
  };
  if (renaming) {
    return (
      <li class="item item-renaming">
        <RenameField conversation={conversation} onDone={() => setRenaming(false)} />
      </li>
    );
  }
  return (
    <li class={current ? "item item-current" : "item"}>
      <button
        type="button"
        class="item-open"
        aria-current={current ? "page" : undefined}
        onClick={open}
      >
        {running && <span class="dot dot-working" role="img" aria-label={t("list.answering")} />}
        <span class="item-title" dir="auto">
          {title}
        </span>
      </button>
      <span class="item-actions">
        <IconButton
          icon="edit"
          label={t("list.rename", { title })}
          onClick={() => setRenaming(true)}
        />
        <IconButton
          icon="trash"
          label={t("list.delete", { title })}
          onClick={() => (dialog.value = { name: "delete", conversation: conversation.id })}
        />
      </span>
    </li>
  );
}
