import { t } from "../i18n/i18n";
import { answerAgain, progress } from "../state/answering";
import type { Conversation, Message } from "../state/conversation";
import { CopyButton } from "./copy_button";
import { IconButton } from "./icon_button";
import { LiveLine } from "./live_line";
import { Markdown } from "./markdown";
import { ProblemNotice } from "./problem_notice";
import { ReceiptLine } from "./receipt_line";
import { Thinking } from "./thinking";
import { VersionSwitch } from "./version_switch";

// How an answer ended, if not as one would wish.
function endingOf(message: Message): string {
  if (message.state === "running") return "";
  if (message.state === "stopped") return t("chat.stopped");
  if (message.state === "broken") return message.problem ? "" : t("problem.interrupted");
  if (message.finish === "length") return t(message.text ? "chat.length" : "chat.length_empty");
  return message.text ? "" : t("chat.empty");
}

export function AssistantMessage(props: { conversation: Conversation; message: Message }) {
  const { conversation, message } = props;
  const name = message.model || t("app.name");
  const running = message.state === "running";
  const live = progress.value.get(message.id);
  const ending = endingOf(message);
  const again = () => answerAgain(conversation, message);
  return (
    <article
      class="message message-assistant"
      aria-label={name}
      aria-busy={running}
      data-state={message.state}
    >
      <h2 class="visually-hidden">{name}</h2>
      <Thinking message={message} progress={live} />
      {message.text && <Markdown text={message.text} />}
      {live && <LiveLine progress={live} />}
      {ending && <p class="ending quiet">{ending}</p>}
      {message.problem && <ProblemNotice problem={message.problem} onRetry={again} />}
      {!running && (
        <div class="actions">
          <VersionSwitch conversation={conversation} message={message} />
          {message.text && <CopyButton text={message.text} label={t("chat.copy")} />}
          {!message.problem && <IconButton icon="again" label={t("chat.again")} onClick={again} />}
          {message.receipt && <ReceiptLine receipt={message.receipt} />}
        </div>
      )}
    </article>
  );
}
