import { t } from "../i18n/i18n";
import { library } from "../state/library";
import { dialog } from "../state/view";
import { DeleteDialog } from "./delete_dialog";
import { ExportDialog } from "./export_dialog";
import { KeyDialog } from "./key_dialog";
import { ModelDialog } from "./model_dialog";
import { SettingsDialog } from "./settings_dialog";
import { StatusDialog } from "./status_dialog";

// The dialog that is open, if any.
export function Dialogs() {
  const open = dialog.value;
  switch (open?.name) {
    case "settings":
      return <SettingsDialog />;
    case "model":
      return <ModelDialog />;
    case "status":
      return <StatusDialog />;
    case "key":
      return <KeyDialog />;
    case "export": {
      const conversation = library.open.value;
      return conversation && <ExportDialog conversation={conversation} />;
    }
    case "delete": {
      const title = library.get(open.conversation)?.title || t("list.untitled");
      return (
        <DeleteDialog
          title={t("delete.title")}
          text={t("delete.text", { title })}
          action={t("delete.do")}
          ids={[open.conversation]}
        />
      );
    }
    case "delete_all": {
      const ids = library.list.value.map((conversation) => conversation.id);
      return (
        <DeleteDialog
          title={t("delete.all_title")}
          text={t("delete.all_text", { count: ids.length })}
          action={t("delete.all_do")}
          ids={ids}
        />
      );
    }
    case undefined:
      return null;
  }
}
