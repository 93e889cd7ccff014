import { t } from "../i18n/i18n";
import type { Key } from "../i18n/i18n";
import type { Conversation } from "../state/conversation";
import { matches } from "../state/conversation";
import { library } from "../state/library";
import { ConversationItem } from "./conversation_item";

const AGES = ["list.today", "list.yesterday", "list.earlier"] as const satisfies readonly Key[];

function ageOf(conversation: Conversation): (typeof AGES)[number] {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  if (conversation.updated >= midnight.getTime()) return "list.today";
  midnight.setDate(midnight.getDate() - 1);
  return conversation.updated >= midnight.getTime() ? "list.yesterday" : "list.earlier";
}

export function ConversationList(props: { query: string }) {
  const all = library.list.value;
  const found = all.filter((conversation) => matches(conversation, props.query));
  if (found.length === 0) {
    const text = all.length > 0 ? t("list.nothing") : t("list.empty");
    return (
      <p class="list-empty quiet" role="status">
        {library.loaded.value ? text : ""}
      </p>
    );
  }
  return (
    <div class="list">
      {AGES.map((age) => {
        const group = found.filter((conversation) => ageOf(conversation) === age);
        if (group.length === 0) return null;
        return (
          <section key={age}>
            <h3 class="list-age">{t(age)}</h3>
            <ul>
              {group.map((conversation) => (
                <ConversationItem key={conversation.id} conversation={conversation} />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
