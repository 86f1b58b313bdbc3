import type { ReactNode } from "react";
import styles from "./controls.module.css";

interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; text: ReactNode; name?: string }[];
  onChange: (value: T) => void;
}

/** One of a few: a row of toggle buttons under one label. */
export function Choice<T extends string>({ label, value, options, onChange }: Props<T>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a row in every browser
    <div role="group" aria-label={label} className={styles.choice}>
      {options.map((option) => (
        <button
          type="button"
          key={option.value}
          aria-pressed={option.value === value}
          aria-label={option.name}
          title={option.name}
          onClick={() => onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}
