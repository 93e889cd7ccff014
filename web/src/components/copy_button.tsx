import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/i18n";
import { announce } from "../state/announcements";
import { copyText } from "./clipboard";
import { IconButton } from "./icon_button";

const SHOWN_MILLISECONDS = 1500;

export function CopyButton(props: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    const done = await copyText(props.text);
    setCopied(done);
    announce(t(done ? "chat.copied" : "chat.copy_failed"));
  };
  return (
    <IconButton
      icon={copied ? "check" : "copy"}
      label={copied ? t("chat.copied") : props.label}
      onClick={() => void copy()}
    />
  );
}
