import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n";
import { library } from "../state/library";
import { drawerOpen, focusComposer, narrow } from "../state/view";
import { ConversationList } from "./conversation_list";
import { Icon } from "./icon";
import { IconButton } from "./icon_button";
import { PageControls } from "./page_controls";

export function Sidebar() {
  const [query, setQuery] = useState("");
  const element = useRef<HTMLElement>(null);
  const drawer = narrow.value;
  const open = drawerOpen.value;
  // At once: when the page is next drawn, what has become inert loses the focus by itself.
  useLayoutEffect(() => {
    if (!drawer || !open) return;
    const before = document.activeElement;
    element.current?.querySelector("button")?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [drawer, open]);
  const begin = () => {
    library.current.value = null;
    drawerOpen.value = false;
    // After the drawer has given the focus back.
    setTimeout(focusComposer, 0);
  };
  return (
    <aside
      ref={element}
      class={open ? "sidebar sidebar-open" : "sidebar"}
      aria-label={t("list.title")}
      inert={drawer && !open}
    >
      <header class="brand">
        <img src="./whale.svg" alt="" width="36" height="36" />
        <span class="brand-name">{t("app.name")}</span>
        {drawer && (
          <IconButton
            icon="close"
            label={t("list.close")}
            onClick={() => (drawerOpen.value = false)}
          />
        )}
      </header>
      <button type="button" class="button new-conversation" onClick={begin}>
        <Icon name="plus" />
        {t("list.new")}
      </button>
      <label class="search">
        <Icon name="search" />
        <span class="visually-hidden">{t("list.search")}</span>
        <input
          type="search"
          dir="auto"
          placeholder={t("list.search")}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </label>
      <nav class="list-scroll" aria-label={t("list.title")}>
        <h2 class="visually-hidden">{t("list.title")}</h2>
        <ConversationList query={query} />
      </nav>
      <PageControls />
    </aside>
  );
}
