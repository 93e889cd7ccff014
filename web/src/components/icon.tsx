// Strokes on a grid of 20.
const SHAPES = {
  plus: "M10 4v12M4 10h12",
  search: "M9 4a5 5 0 1 1 0 10a5 5 0 0 1 0-10zM12.7 12.7L16.5 16.5",
  menu: "M3.5 6h13M3.5 10h13M3.5 14h9",
  close: "M5 5l10 10M15 5L5 15",
  send: "M10 16V4.5M5 9.5l5-5l5 5",
  stop: "M6.5 6.5h7v7h-7z",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  check: "M4.5 10.5l3.5 3.5l7.5-8",
  edit: "M4 16l.8-3.4L13.2 4.2l2.6 2.6L7.4 15.2zM11.5 5.9l2.6 2.6",
  again: "M15.6 8.2A6 6 0 1 0 16 11M16 4.5v4h-4",
  trash: "M4.5 6h11M8 6V4h4v2M6 6l.7 10h6.6L14 6M8.7 9v4.5M11.3 9v4.5",
  save: "M10 4v8.5M6.5 9.5L10 13l3.5-3.5M4 16h12",
  open: "M10 13V4.5M6.5 8L10 4.5L13.5 8M4 16h12",
  settings:
    "M3.5 6.5h6M13.5 6.5h3M3.5 13.5h3M10.5 13.5h6M11.5 4.5a2 2 0 1 1 0 4a2 2 0 0 1 0-4zM8.5 11.5a2 2 0 1 1 0 4a2 2 0 0 1 0-4z",
  before: "M12 5l-5 5l5 5",
  after: "M8 5l5 5l-5 5",
  down: "M10 4v11.5M5 10.5l5 5l5-5",
  alert: "M10 3.5L17.5 16.5h-15zM10 8.5v3.5M10 14.2v.3",
  thought: "M10 3.5a5 5 0 0 1 2.5 9.3v1.7h-5v-1.7A5 5 0 0 1 10 3.5zM8 17h4",
  globe:
    "M10 3.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM3.5 10h13M10 3.5c4.5 4 4.5 9 0 13c-4.5-4-4.5-9 0-13z",
  contrast: "M10 3.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM10 3.5v13M10 7h4M10 10h5M10 13h4",
} as const;

export type IconName = keyof typeof SHAPES;

// These point along the line of reading.
const MIRRORED: readonly IconName[] = ["before", "after", "menu"];

export function Icon(props: { name: IconName }) {
  return (
    <svg
      class={MIRRORED.includes(props.name) ? "icon mirrored" : "icon"}
      viewBox="0 0 20 20"
      width="20"
      height="20"
      aria-hidden="true"
      focusable="false"
    >
      <path d={SHAPES[props.name]} />
    </svg>
  );
}
