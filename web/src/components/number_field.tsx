import { useId } from "preact/hooks";
import { t } from "../i18n/i18n";

interface Props {
  name: string;
  help: string;
  value: number | null; // null: the server's default
  min: number;
  max: number;
  step: number;
  onChange: (value: number | null) => void;
}

export function NumberField(props: Props) {
  const id = useId();
  const change = (event: Event & { currentTarget: HTMLInputElement }) => {
    const { value, validity } = event.currentTarget;
    if (value === "") {
      // What is no number reads as "" as well; the browser marks it, and nothing is changed.
      if (!validity.badInput) props.onChange(null);
    } else if (!validity.rangeOverflow && !validity.rangeUnderflow) {
      props.onChange(props.step === 1 ? Math.floor(Number(value)) : Number(value));
    }
  };
  return (
    <div class="field">
      <label class="field-name" for={id}>
        {props.name}
      </label>
      <input
        id={id}
        type="number"
        dir="ltr"
        inputmode="decimal"
        min={props.min}
        max={props.max}
        step={props.step === 1 ? 1 : "any"}
        value={props.value ?? ""}
        placeholder={t("settings.default")}
        aria-describedby={`${id}-help`}
        onInput={change}
      />
      <span id={`${id}-help`} class="field-help">
        {props.help}
      </span>
    </div>
  );
}
