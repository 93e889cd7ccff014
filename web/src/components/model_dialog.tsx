import { formatNumber, t } from "../i18n/i18n";
import { modelName, serverStatus } from "../state/server";
import { Fact, Facts } from "./facts";
import { Markdown } from "./markdown";
import { Modal } from "./modal";

function count(value: number | null): string | null {
  if (value === null) return null;
  return formatNumber(value, { notation: "compact", maximumSignificantDigits: 3 });
}

function bytes(value: number | null): string | null {
  if (value === null) return null;
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return formatNumber(value / 1000 ** power, {
    style: "unit",
    unit: units[power],
    maximumSignificantDigits: 3,
  });
}

export function ModelDialog() {
  const model = serverStatus.value?.model;
  return (
    <Modal title={t("model.title")} wide>
      <p class="model-name">
        <bdi>{modelName.value || t("model.none")}</bdi>
      </p>
      {model && (
        <>
          <Facts>
            <Fact name={t("model.architecture")} value={model.architecture} />
            <Fact name={t("model.parameters")} value={count(model.parameters)} />
            <Fact name={t("model.active")} value={count(model.activeParameters)} />
            <Fact
              name={t("model.context")}
              value={model.context === null ? null : t("chat.tokens", { count: model.context })}
            />
            <Fact name={t("model.quantization")} value={model.quantization} />
            <Fact name={t("model.file")} value={bytes(model.fileBytes)} />
          </Facts>
          <h3>{t("model.card")}</h3>
          {model.card ? <Markdown text={model.card} /> : <p class="quiet">{t("model.no_card")}</p>}
        </>
      )}
    </Modal>
  );
}
