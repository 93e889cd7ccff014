import { useState } from "preact/hooks";
import { setApiKey } from "../api/key";
import { t } from "../i18n/i18n";
import { answerWithKey } from "../state/answering";
import { closeDialog } from "../state/view";
import { Modal } from "./modal";

export function KeyDialog() {
  const [key, setKey] = useState("");
  const use = (event: Event) => {
    event.preventDefault();
    // Header values are printable ASCII; anything else is a slip while pasting.
    const clean = key.replace(/[^\x21-\x7e]/gu, "");
    if (!clean) return;
    closeDialog();
    setApiKey(clean);
    answerWithKey();
  };
  return (
    <Modal title={t("key.title")}>
      <form class="form" onSubmit={use}>
        <p>{t("key.text")}</p>
        <label class="field">
          <span class="field-name">{t("key.label")}</span>
          <input
            type="password"
            dir="ltr"
            autocomplete="off"
            spellcheck={false}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <div class="modal-actions">
          <button type="button" class="button" onClick={closeDialog}>
            {t("dialog.cancel")}
          </button>
          <button type="submit" class="button button-main" disabled={!key.trim()}>
            {t("key.do")}
          </button>
        </div>
      </form>
    </Modal>
  );
}
