import { t } from "../i18n/i18n";
import type { Conversation } from "../state/conversation";
import { fileName, toJson, toMarkdown } from "../state/transfer";
import { closeDialog } from "../state/view";
import { download } from "./download";
import { Modal } from "./modal";

export function ExportDialog(props: { conversation: Conversation }) {
  const { conversation } = props;
  const saveMarkdown = () => {
    const words = {
      you: t("chat.you"),
      thinking: t("chat.thought"),
      system: t("settings.system"),
    };
    download(fileName(conversation.title, "md"), "text/markdown", toMarkdown(conversation, words));
    closeDialog();
  };
  const saveJson = () => {
    download(fileName(conversation.title, "json"), "application/json", toJson([conversation]));
    closeDialog();
  };
  return (
    <Modal title={t("export.title")}>
      <div class="choices">
        <button type="button" class="choice" onClick={saveMarkdown}>
          <strong>{t("export.markdown")}</strong>
          <span>{t("export.markdown_text")}</span>
        </button>
        <button type="button" class="choice" onClick={saveJson}>
          <strong>{t("export.json")}</strong>
          <span>{t("export.json_text")}</span>
        </button>
      </div>
    </Modal>
  );
}
