import { t } from "../i18n/i18n";
import { stop } from "../state/answering";
import { library } from "../state/library";
import { closeDialog } from "../state/view";
import { Modal } from "./modal";

interface Props {
  title: string;
  text: string;
  action: string;
  ids: string[]; // of the conversations that go
}

export function DeleteDialog(props: Props) {
  const remove = () => {
    for (const id of props.ids) {
      stop(id);
      library.remove(id);
    }
    closeDialog();
  };
  return (
    <Modal title={props.title}>
      <p dir="auto">{props.text}</p>
      <div class="modal-actions">
        <button type="button" class="button" onClick={closeDialog}>
          {t("dialog.cancel")}
        </button>
        <button type="button" class="button button-danger" onClick={remove}>
          {props.action}
        </button>
      </div>
    </Modal>
  );
}
