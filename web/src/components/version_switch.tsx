import { t } from "../i18n/i18n";
import type { Conversation, Message } from "../state/conversation";
import { showVersion, siblingsOf } from "../state/conversation";
import { library } from "../state/library";
import { IconButton } from "./icon_button";

// Between the versions of a question or an answer.
export function VersionSwitch(props: { conversation: Conversation; message: Message }) {
  const { conversation, message } = props;
  const versions = siblingsOf(conversation, message);
  if (versions.length < 2) return null;
  const at = versions.indexOf(message);
  const show = (version: Message | undefined) => {
    if (version) library.update(conversation.id, (it) => showVersion(it, version.id));
  };
  return (
    <span class="versions" role="group" aria-label={t("chat.versions")}>
      <IconButton
        icon="before"
        label={t("chat.version_before")}
        disabled={at === 0}
        onClick={() => show(versions[at - 1])}
      />
      <span class="quiet">{t("chat.version", { at: at + 1, all: versions.length })}</span>
      <IconButton
        icon="after"
        label={t("chat.version_after")}
        disabled={at === versions.length - 1}
        onClick={() => show(versions[at + 1])}
      />
    </span>
  );
}
