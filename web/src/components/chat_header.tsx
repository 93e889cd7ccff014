import { t } from "../i18n/i18n";
import type { Key } from "../i18n/i18n";
import { library } from "../state/library";
import { modelName, serverProblem, serverStatus } from "../state/server";
import { dialog, drawerOpen, narrow } from "../state/view";
import { IconButton } from "./icon_button";

type State = "ready" | "working" | "lost" | "unknown";

function serverState(): State {
  if (serverProblem.value) return serverProblem.value.kind === "unreachable" ? "lost" : "unknown";
  if (!serverStatus.value) return "unknown";
  return (serverStatus.value.running ?? 0) > 0 ? "working" : "ready";
}

export function ChatHeader() {
  const conversation = library.open.value;
  const state = serverState();
  const stateText = t(`status.${state}` satisfies Key);
  const name = modelName.value;
  return (
    <header class="chat-header">
      {narrow.value && (
        <IconButton icon="menu" label={t("list.open")} onClick={() => (drawerOpen.value = true)} />
      )}
      <h1 class="chat-title" dir="auto">
        {conversation?.title || t("list.new")}
      </h1>
      <div class="chat-tools">
        {name && (
          <button
            type="button"
            class="chip model-chip"
            aria-label={t("model.open", { name })}
            title={t("model.open", { name })}
            onClick={() => (dialog.value = { name: "model" })}
          >
            <bdi>{name}</bdi>
          </button>
        )}
        <button
          type="button"
          class="icon-button"
          aria-label={t("status.open", { state: stateText })}
          title={t("status.open", { state: stateText })}
          onClick={() => (dialog.value = { name: "status" })}
        >
          <span class={`dot dot-${state}`} />
        </button>
        {conversation && (
          <IconButton
            icon="save"
            label={t("export.open")}
            onClick={() => (dialog.value = { name: "export" })}
          />
        )}
        <IconButton
          icon="settings"
          label={t("settings.open")}
          onClick={() => (dialog.value = { name: "settings" })}
        />
      </div>
    </header>
  );
}
