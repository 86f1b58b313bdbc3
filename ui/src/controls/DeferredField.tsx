import { useEffect, useState } from "react";
import styles from "./controls.module.css";

interface Props {
  label: string;
  placeholder: string;
  value: string;
  onChange: (value: string) => void;
}

/** A line of a query language: taken over with Enter or when it is left, not at each letter. */
export function DeferredField({ label, placeholder, value, onChange }: Props) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const take = () => {
    if (text !== value) onChange(text.trim());
  };
  return (
    <input
      className={`${styles.search} ${styles.language}`}
      aria-label={label}
      placeholder={placeholder}
      title={label}
      value={text}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => setText(event.target.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === "Enter") take();
        else if (event.key === "Escape") setText(value);
      }}
    />
  );
}
