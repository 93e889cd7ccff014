import { useLayoutEffect, useRef } from "preact/hooks";

// An element with nodes that a library made (and that were sanitised) as its content.
export function Grafted(props: { as: "code" | "span"; nodes: DocumentFragment; class?: string }) {
  const element = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    element.current?.replaceChildren(props.nodes.cloneNode(true));
  }, [props.nodes]);
  const Element = props.as;
  return <Element ref={element} class={props.class} />;
}
