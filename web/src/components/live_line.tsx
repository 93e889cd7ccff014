import { formatRate, formatSeconds, t } from "../i18n/i18n";
import type { Progress } from "../state/answering";
import { useClock } from "./clock";

// Fewer say nothing about a speed.
const PIECES_FOR_A_SPEED = 3;

// What is known while an answer comes.
export function LiveLine(props: { progress: Progress }) {
  const { started, first, pieces } = props.progress;
  const now = useClock(true, 500);
  if (first === null) {
    return (
      <p class="live-line">
        <span class="dots" aria-hidden="true" />
        {t("chat.waiting")}
        <span class="figures">{formatSeconds(Math.max(0, now - started) / 1000)}</span>
      </p>
    );
  }
  const seconds = Math.max(now - first, 1) / 1000;
  return (
    <p class="live-line">
      <span class="dots" aria-hidden="true" />
      <span class="figures">{t("chat.about_tokens", { count: pieces })}</span>
      {pieces >= PIECES_FOR_A_SPEED && seconds > 0.3 && (
        <span class="figures" data-testid="live-speed">
          {t("chat.speed", { rate: formatRate((pieces - 1) / seconds) })}
        </span>
      )}
    </p>
  );
}
