import { useEffect } from "preact/hooks";
import { formatDuration, formatNumber, formatRate, t } from "../i18n/i18n";
import { serverProblem, serverStatus, statusWatched } from "../state/server";
import { Fact, Facts } from "./facts";
import { Modal } from "./modal";
import { ProblemNotice } from "./problem_notice";

const number = (value: number | null) => (value === null ? null : formatNumber(value));
const rate = (value: number | null) => (value === null ? null : formatRate(value));

function share(part: number | null, whole: number | null): number | null {
  return part === null || !whole ? null : Math.min(1, part / whole);
}

function Meter(props: { name: string; value: number | null; text: string }) {
  if (props.value === null) return null;
  return (
    <div class="meter">
      <div class="meter-text">
        <span>{props.name}</span>
        <bdi>{props.text}</bdi>
      </div>
      <progress max={1} value={props.value} aria-label={props.name} />
    </div>
  );
}

export function StatusDialog() {
  useEffect(() => {
    statusWatched.value = true;
    return () => (statusWatched.value = false);
  }, []);
  const status = serverStatus.value;
  const problem = serverProblem.value;
  const hits = share(status?.hitTokens ?? null, status?.promptTokens ?? null);
  const pages = t("status.pages_of", { used: status?.pagesInUse ?? 0, all: status?.pages ?? 0 });
  return (
    <Modal title={t("status.title")}>
      {problem && <ProblemNotice problem={problem} />}
      {status && (
        <>
          <h3>{t("status.queue")}</h3>
          <Facts>
            <Fact name={t("status.running")} value={number(status.running)} />
            <Fact name={t("status.waiting")} value={number(status.waiting)} />
          </Facts>
          <h3>{t("status.speed")}</h3>
          <Facts>
            <Fact name={t("status.prompt_speed")} value={rate(status.promptTokensPerSecond)} />
            <Fact
              name={t("status.generated_speed")}
              value={rate(status.generatedTokensPerSecond)}
            />
          </Facts>
          <h3>{t("status.cache")}</h3>
          <Meter
            name={t("status.pages")}
            value={share(status.pagesInUse, status.pages)}
            text={pages}
          />
          <Meter
            name={t("status.hits")}
            value={hits}
            text={formatNumber(hits ?? 0, { style: "percent" })}
          />
          {status.uptimeSeconds !== null && (
            <p class="quiet">
              {t("status.uptime")} <bdi>{formatDuration(status.uptimeSeconds)}</bdi>
            </p>
          )}
        </>
      )}
    </Modal>
  );
}
