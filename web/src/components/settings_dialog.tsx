import { apiKey, setApiKey } from "../api/key";
import { t } from "../i18n/i18n";
import type { AnswerSettings } from "../state/conversation";
import { DEFAULT_SETTINGS } from "../state/conversation";
import { changeSettings, currentSettings } from "../state/current_settings";
import { DataSection } from "./data_section";
import { Modal } from "./modal";
import { NumberField } from "./number_field";

function AnswerFields(props: { settings: AnswerSettings }) {
  const { settings } = props;
  return (
    <>
      <label class="field">
        <span class="field-name">{t("settings.system")}</span>
        <textarea
          dir="auto"
          rows={3}
          value={settings.system}
          onInput={(event) => changeSettings({ system: event.currentTarget.value })}
        />
        <span class="field-help">{t("settings.system_text")}</span>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={settings.thinking}
          onChange={(event) => changeSettings({ thinking: event.currentTarget.checked })}
        />
        {t("settings.thinking")}
      </label>
      <div class="field-grid">
        <NumberField
          name={t("settings.temperature")}
          help={t("settings.temperature_text")}
          value={settings.temperature}
          min={0}
          max={2}
          step={0.1}
          onChange={(temperature) => changeSettings({ temperature })}
        />
        <NumberField
          name={t("settings.top_p")}
          help={t("settings.top_p_text")}
          value={settings.topP}
          min={0}
          max={1}
          step={0.05}
          onChange={(topP) => changeSettings({ topP })}
        />
        <NumberField
          name={t("settings.max_tokens")}
          help={t("settings.max_tokens_text")}
          value={settings.maxTokens}
          min={1}
          max={1e9}
          step={1}
          onChange={(maxTokens) => changeSettings({ maxTokens })}
        />
        <NumberField
          name={t("settings.seed")}
          help={t("settings.seed_text")}
          value={settings.seed}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          step={1}
          onChange={(seed) => changeSettings({ seed })}
        />
      </div>
    </>
  );
}

export function SettingsDialog() {
  return (
    <Modal title={t("settings.title")} wide>
      <div class="form">
        <section>
          <h3>{t("settings.answers")}</h3>
          <p class="quiet">{t("settings.answers_text")}</p>
          <AnswerFields settings={currentSettings.value} />
          <button
            type="button"
            class="button button-small"
            onClick={() => changeSettings(DEFAULT_SETTINGS)}
          >
            {t("settings.reset")}
          </button>
        </section>
        <DataSection />
        {apiKey.value && (
          <section>
            <h3>{t("settings.key")}</h3>
            <button type="button" class="button button-small" onClick={() => setApiKey("")}>
              {t("settings.forget_key")}
            </button>
          </section>
        )}
      </div>
    </Modal>
  );
}
