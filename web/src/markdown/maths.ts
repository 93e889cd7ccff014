import DOMPurify from "dompurify";
import { renderToString } from "katex";

// MathML, which the browser sets in its own fonts. TeX that is wrong comes back as its text.
export function renderMaths(tex: string, display: boolean): DocumentFragment {
  const markup = renderToString(tex, {
    displayMode: display,
    output: "mathml",
    throwOnError: false,
    strict: "ignore",
    trust: false,
    maxSize: 20,
    maxExpand: 500,
  });
  return DOMPurify.sanitize(markup, {
    USE_PROFILES: { mathMl: true },
    ADD_TAGS: ["span", "semantics", "annotation"],
    // The policy of the page allows no styles in attributes.
    FORBID_ATTR: ["style"],
    RETURN_DOM_FRAGMENT: true,
  });
}
