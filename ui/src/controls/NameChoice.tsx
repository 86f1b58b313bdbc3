import { useEffect, useId, useState } from "react";

interface Props {
  /** Null where a label stands around it. */
  label: string | null;
  /** What no name means, in words. */
  any: string;
  value: string;
  values: readonly string[];
  onChange: (value: string) => void;
  className?: string | undefined;
}

/** Of more names than this a list to scroll through is no help: a part of the name is written instead. */
const SCROLLED = 300;

/** So many names that have the written text in them are offered. */
const OFFERED = 50;

/** One of some names, or none: a list of them, or with many a field that offers those that fit. */
export function NameChoice(props: Props) {
  const { label, any, value, values, onChange, className } = props;
  if (values.length > SCROLLED) return <Written {...props} />;
  const known = value === "" || values.includes(value) ? values : [value, ...values];
  return (
    <select
      aria-label={label ?? undefined}
      className={className}
      title={value || undefined}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">{any}</option>
      {known.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Written({ label, any, value, values, onChange, className }: Props) {
  const list = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const fitting = text === value ? [] : values.filter((name) => name.includes(text)).slice(0, OFFERED);
  return (
    <>
      <input
        aria-label={label ?? undefined}
        className={className}
        list={list}
        title={value || undefined}
        placeholder={any}
        value={text}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value === "" || values.includes(event.target.value)) onChange(event.target.value);
        }}
        onBlur={() => setText(value)}
      />
      <datalist id={list}>
        {fitting.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}
