import { LANGUAGES } from "../i18n/catalogues";
import { language, t } from "../i18n/i18n";
import { chosenLanguage, theme, THEMES } from "../state/preferences";
import { Icon } from "./icon";

export function PageControls() {
  const changeTheme = (event: Event & { currentTarget: HTMLSelectElement }) => {
    theme.value = THEMES.find((name) => name === event.currentTarget.value) ?? "system";
  };
  return (
    <div class="page-controls">
      <label class="select">
        <Icon name="globe" />
        <span class="visually-hidden">{t("page.language")}</span>
        <select
          value={language.value.code}
          onChange={(event) => (chosenLanguage.value = event.currentTarget.value)}
        >
          {LANGUAGES.map(({ code, name }) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="select">
        <Icon name="contrast" />
        <span class="visually-hidden">{t("page.theme")}</span>
        <select value={theme.value} onChange={changeTheme}>
          {THEMES.map((name) => (
            <option key={name} value={name}>
              {t(`page.theme.${name}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
