import type { ComponentChildren } from "preact";

// Names and values in two columns. Values that are not known are left out.
export function Facts(props: { children: ComponentChildren }) {
  return <dl class="facts">{props.children}</dl>;
}

export function Fact(props: { name: string; value: string | null }) {
  if (!props.value) return null;
  return (
    <div class="fact">
      <dt>{props.name}</dt>
      <dd>
        <bdi>{props.value}</bdi>
      </dd>
    </div>
  );
}
