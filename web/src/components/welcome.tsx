import { t } from "../i18n/i18n";
import { draft } from "../state/draft";
import { focusComposer } from "../state/view";

export function Welcome() {
  const suggestions = [t("welcome.one"), t("welcome.two"), t("welcome.three")];
  const take = (text: string) => {
    draft.value = text;
    focusComposer();
  };
  return (
    <div class="welcome">
      <img src="./whale.svg" alt="" width="72" height="72" />
      <h2>{t("welcome.title")}</h2>
      <p class="quiet">{t("welcome.text")}</p>
      <ul class="suggestions" aria-label={t("welcome.try")}>
        {suggestions.map((text) => (
          <li key={text}>
            <button type="button" class="suggestion" onClick={() => take(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
