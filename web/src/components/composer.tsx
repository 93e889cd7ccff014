import { formatNumber, t } from "../i18n/i18n";
import { ask, stop } from "../state/answering";
import { isRunning, pathOf } from "../state/conversation";
import { changeSettings, currentSettings } from "../state/current_settings";
import { draft } from "../state/draft";
import { library } from "../state/library";
import { serverStatus } from "../state/server";
import { COMPOSER_ID, focusComposer } from "../state/view";
import { Icon } from "./icon";

// On a screen keyboard there is no Shift+Enter, so that Enter has to start a new line.
const touch = window.matchMedia("(pointer: coarse) and (hover: none)");

function ThinkingSwitch() {
  const on = currentSettings.value.thinking;
  return (
    <button
      type="button"
      class="chip thinking-switch"
      aria-pressed={on}
      title={t(on ? "composer.thinking_on" : "composer.thinking_off")}
      onClick={() => changeSettings({ thinking: !on })}
    >
      <Icon name="thought" />
      {t("composer.thinking")}
    </button>
  );
}

// How much of the context the last answer has left.
function ContextLine() {
  const all = serverStatus.value?.model.context;
  const conversation = library.open.value;
  const last = conversation
    ? pathOf(conversation).findLast((message) => message.receipt?.exact)?.receipt
    : null;
  if (!all || !last) return null;
  const used = last.promptTokens + last.completionTokens;
  const values = { used: formatNumber(used), all: formatNumber(all) };
  return (
    <span class={used > 0.9 * all ? "context context-full" : "context"}>
      {t("composer.context", values)}
    </span>
  );
}

export function Composer() {
  const conversation = library.open.value;
  const running = conversation !== null && isRunning(conversation);
  const text = draft.value;
  const send = () => {
    if (!text.trim() || running) return;
    draft.value = "";
    ask(text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends the choice of a character of Chinese, say.
    if (event.isComposing || event.key !== "Enter" || event.shiftKey || touch.matches) return;
    event.preventDefault();
    send();
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    if (running && conversation) stop(conversation.id);
    else send();
    focusComposer();
  };
  return (
    <form class="composer" onSubmit={onSubmit}>
      <div class="composer-box">
        <textarea
          id={COMPOSER_ID}
          class="grows"
          dir="auto"
          rows={1}
          aria-label={t("composer.label")}
          aria-describedby="composer-hint"
          placeholder={t("composer.placeholder")}
          value={text}
          onInput={(event) => (draft.value = event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <div class="composer-row">
          <ThinkingSwitch />
          <ContextLine />
          <button
            type="submit"
            class={running ? "send send-stop" : "send"}
            aria-label={t(running ? "composer.stop" : "composer.send")}
            title={t(running ? "composer.stop" : "composer.send")}
            disabled={!running && !text.trim()}
          >
            <Icon name={running ? "stop" : "send"} />
          </button>
        </div>
      </div>
      <p id="composer-hint" class="composer-hint">
        {t("composer.hint")}
      </p>
    </form>
  );
}
