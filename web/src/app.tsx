import { useEffect } from "preact/hooks";
import { Announcer } from "./components/announcer";
import { ChatHeader } from "./components/chat_header";
import { Composer } from "./components/composer";
import { Dialogs } from "./components/dialogs";
import { MessageList } from "./components/message_list";
import { ProblemNotice } from "./components/problem_notice";
import { Sidebar } from "./components/sidebar";
import { Welcome } from "./components/welcome";
import { t } from "./i18n/i18n";
import { stop } from "./state/answering";
import { library } from "./state/library";
import { askServer, serverProblem } from "./state/server";
import { COMPOSER_ID, dialog, drawerOpen, narrow } from "./state/view";

// Escape closes what lies on top, and then stops the answer that is seen.
function onEscape(event: KeyboardEvent): void {
  if (event.key !== "Escape" || event.isComposing || dialog.peek()) return;
  if (narrow.peek() && drawerOpen.peek()) {
    drawerOpen.value = false;
  } else {
    const open = library.open.peek();
    if (open) stop(open.id);
  }
}

// What a person should know whatever they are looking at.
function Notices() {
  const problem = serverProblem.value;
  const urgent = problem?.kind === "unreachable" || problem?.kind === "key";
  return (
    <div class="notices column" role="status">
      {!library.kept.value && <p class="notice">{t("app.not_kept")}</p>}
      {urgent && <ProblemNotice problem={problem} onRetry={() => void askServer()} />}
    </div>
  );
}

export function App() {
  useEffect(() => {
    document.addEventListener("keydown", onEscape);
    return () => document.removeEventListener("keydown", onEscape);
  }, []);
  const conversation = library.open.value;
  const covered = narrow.value && drawerOpen.value;
  const skip = (event: Event) => {
    event.preventDefault();
    document.getElementById(COMPOSER_ID)?.focus();
  };
  return (
    <>
      <a class="skip-link" href={`#${COMPOSER_ID}`} onClick={skip}>
        {t("app.skip")}
      </a>
      <div class="layout">
        <Sidebar />
        {covered && <div class="backdrop" onClick={() => (drawerOpen.value = false)} />}
        <main class="main" inert={covered}>
          <ChatHeader />
          <Notices />
          {conversation ? (
            <MessageList conversation={conversation} />
          ) : (
            <div class="messages-frame messages-none">
              <Welcome />
            </div>
          )}
          <Composer />
        </main>
      </div>
      <Announcer />
      <Dialogs />
    </>
  );
}
