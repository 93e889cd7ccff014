import { t } from "../i18n/i18n";
import type { ProblemData } from "../api/problem";
import { dialog } from "../state/view";
import { Icon } from "./icon";

// A problem in plain words, and what can be done about it.
export function ProblemNotice(props: { problem: ProblemData; onRetry?: (() => void) | undefined }) {
  const { kind, detail, retryAfter } = props.problem;
  return (
    <div class="notice notice-problem">
      <Icon name="alert" />
      <div class="notice-body">
        <p>
          {t(`problem.${kind}`)}
          {retryAfter > 0 && ` ${t("problem.wait", { count: Math.ceil(retryAfter) })}`}
        </p>
        {detail && (
          <p class="quiet">
            {t("problem.details")} <bdi>{detail}</bdi>
          </p>
        )}
        <div class="notice-actions">
          {kind === "key" && (
            <button
              type="button"
              class="button button-small"
              onClick={() => (dialog.value = { name: "key" })}
            >
              {t("problem.give_key")}
            </button>
          )}
          {props.onRetry && (
            <button type="button" class="button button-small" onClick={props.onRetry}>
              {t("problem.retry")}
            </button>
          )}
        </div>
      </div>
    </div>
  );
}
