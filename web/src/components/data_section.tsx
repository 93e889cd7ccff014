import { useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n";
import { newId } from "../state/conversation";
import { library } from "../state/library";
import { fromJson, ImportError, toJson } from "../state/transfer";
import { dialog } from "../state/view";
import { download } from "./download";

// Conversations that are here already stay as they are; the ones read get ids of their own.
function readIn(text: string): number {
  const conversations = fromJson(text);
  for (const conversation of conversations) {
    const here = library.get(conversation.id);
    if (here?.updated === conversation.updated) continue;
    library.put(here ? { ...conversation, id: newId() } : conversation);
  }
  library.flush();
  return conversations.length;
}

export function DataSection() {
  const file = useRef<HTMLInputElement>(null);
  const [result, setResult] = useState("");
  const read = async () => {
    const chosen = file.current?.files?.[0];
    if (!chosen) return;
    try {
      setResult(t("settings.imported", { count: readIn(await chosen.text()) }));
    } catch (error) {
      const reason = error instanceof ImportError ? error.message : String(error);
      setResult(t("settings.import_failed", { reason }));
    }
    if (file.current) file.current.value = "";
  };
  const some = library.list.value.length > 0;
  return (
    <section>
      <h3>{t("settings.data")}</h3>
      <div class="button-row">
        <button
          type="button"
          class="button button-small"
          disabled={!some}
          onClick={() =>
            download("minke-conversations.json", "application/json", toJson(library.list.value))
          }
        >
          {t("settings.export_all")}
        </button>
        <button type="button" class="button button-small" onClick={() => file.current?.click()}>
          {t("settings.import")}
        </button>
        <button
          type="button"
          class="button button-small button-danger"
          disabled={!some}
          onClick={() => (dialog.value = { name: "delete_all" })}
        >
          {t("settings.delete_all")}
        </button>
      </div>
      <input
        ref={file}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label={t("settings.import")}
        onChange={() => void read()}
      />
      <p role="status" class="quiet" dir="auto">
        {result}
      </p>
    </section>
  );
}
