import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n/i18n";
import { closeDialog } from "../state/view";
import { IconButton } from "./icon_button";

// A dialog over the page. The browser keeps the focus within it, and gives it back at the end.
export function Modal(props: { title: string; children: ComponentChildren; wide?: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  const gone = useRef(false);
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => {
      gone.current = true;
      dialog?.close();
    };
  }, []);
  // The event comes later, when another dialog may have taken this one's place.
  const onClose = () => {
    if (!gone.current) closeDialog();
  };
  const closeOutside = (event: MouseEvent) => {
    if (event.target === element.current) closeDialog();
  };
  return (
    <dialog
      ref={element}
      class={props.wide ? "modal modal-wide" : "modal"}
      aria-labelledby={id}
      onClose={onClose}
      onMouseDown={closeOutside}
    >
      <div class="modal-body">
        <header class="modal-head">
          <h2 id={id} tabindex={-1} autofocus>
            {props.title}
          </h2>
          <IconButton icon="close" label={t("dialog.close")} onClick={closeDialog} />
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
