import { formatRate, formatSeconds, t } from "../i18n/i18n";
import type { Receipt } from "../state/conversation";

// What an answer has cost.
export function ReceiptLine(props: { receipt: Receipt }) {
  const { receipt } = props;
  const parts: string[] = [];
  if (receipt.exact) {
    parts.push(t("receipt.prompt", { count: receipt.promptTokens }));
    if (receipt.cachedTokens > 0) parts.push(t("receipt.cached", { count: receipt.cachedTokens }));
    parts.push(t("receipt.written", { count: receipt.completionTokens }));
    if (receipt.reasoningTokens > 0) {
      parts.push(t("receipt.thinking", { count: receipt.reasoningTokens }));
    }
  } else {
    parts.push(t("chat.about_tokens", { count: receipt.completionTokens }));
  }
  parts.push(formatSeconds(receipt.seconds));
  if (receipt.tokensPerSecond !== null) {
    parts.push(t("chat.speed", { rate: formatRate(receipt.tokensPerSecond) }));
  }
  return (
    <p
      class="receipt"
      aria-label={t("receipt.label")}
      role="group"
      title={t("receipt.wait", { time: formatSeconds(receipt.waitSeconds) })}
    >
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
    </p>
  );
}
