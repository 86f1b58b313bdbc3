import styles from "./controls.module.css";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** A search box. The first one on a page is where the key "/" goes. */
export function SearchField({ label, value, onChange }: Props) {
  return (
    <input
      className={styles.search}
      type="search"
      aria-label={label}
      placeholder={label}
      value={value}
      spellCheck={false}
      autoComplete="off"
      aria-keyshortcuts="/"
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
