import { useEffect, useMemo } from "preact/hooks";
import { t } from "../i18n/i18n";
import { highlight } from "../markdown/lazy";
import { CopyButton } from "./copy_button";
import { Grafted } from "./grafted";

// `complete` is false while the code still comes: colours would flicker.
export function CodeBlock(props: { code: string; language: string; complete: boolean }) {
  const { code, language, complete } = props;
  const wanted = complete && language !== "";
  useEffect(() => {
    if (wanted) highlight.load();
  }, [wanted]);
  const module = highlight.module.value;
  const nodes = useMemo(
    () => (wanted ? module?.highlightCode(code, language) : null),
    [module, wanted, code, language],
  );
  return (
    <figure class="code-block" dir="ltr">
      <figcaption class="code-head">
        <span>{language || t("chat.code")}</span>
        <CopyButton text={code} label={t("chat.copy_code")} />
      </figcaption>
      <pre tabindex={0} aria-label={language || t("chat.code")} role="group">
        {nodes ? <Grafted key="lit" as="code" nodes={nodes} /> : <code key="plain">{code}</code>}
      </pre>
    </figure>
  );
}
