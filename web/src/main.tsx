import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app";
import { showLanguage } from "./i18n/i18n";
import { waitsForKey } from "./state/answering";
import { openShelf } from "./state/database";
import { library } from "./state/library";
import { keepPreferences } from "./state/preferences";
import { watchServer } from "./state/server";
import { dialog, focusComposer, narrow } from "./state/view";
import "./styles/app.css";

keepPreferences();
showLanguage();
watchServer();
effect(() => {
  if (waitsForKey.value) dialog.value = { name: "key" };
});
// Phones end pages without a further word.
window.addEventListener("pagehide", () => library.flush());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) library.flush();
});

const root = document.getElementById("app");
if (root) render(<App />, root);
// On a phone this would cover half of the page with a keyboard.
if (!narrow.value) focusComposer();

// The tab's address names the conversation, so that a reload comes back to it.
void library.load(openShelf).then(() => {
  const named = location.hash.slice(1);
  if (library.get(named)) library.current.value = named;
  effect(() => {
    const current = library.current.value;
    const address = current === null ? location.pathname + location.search : `#${current}`;
    if (location.hash.slice(1) !== (current ?? "")) history.replaceState(null, "", address);
  });
});
effect(() => {
  const title = library.open.value?.title;
  document.title = title ? `${title} – Minke` : "Minke";
});
