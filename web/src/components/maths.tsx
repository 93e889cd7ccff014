import { useEffect, useMemo } from "preact/hooks";
import { maths } from "../markdown/lazy";
import { Grafted } from "./grafted";

export function Maths(props: { tex: string; display: boolean }) {
  const { tex, display } = props;
  useEffect(() => maths.load(), []);
  const module = maths.module.value;
  const nodes = useMemo(() => module?.renderMaths(tex, display), [module, tex, display]);
  const name = display ? "maths maths-display" : "maths";
  // Formulas run from left to right in every language but some Arabic schools' own notation.
  return (
    <span class={name} dir="ltr">
      {nodes ? <Grafted key="set" as="span" nodes={nodes} /> : <code key="source">{tex}</code>}
    </span>
  );
}
