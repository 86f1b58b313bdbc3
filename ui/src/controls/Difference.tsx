import styles from "./controls.module.css";

/** A unified diff: what goes and what comes, each with its sign and its colour. */
export function Difference({ label, text }: { label: string; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.difference} aria-label={`${label}: diff`} tabIndex={0}>
      <pre>
        {text
          .replace(/\n$/, "")
          .split("\n")
          .map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
            <span key={index} data-sign={signOf(line)}>
              {line}
              {"\n"}
            </span>
          ))}
      </pre>
    </section>
  );
}

function signOf(line: string): string | undefined {
  if (
    /^(---|\+\+\+|@@|diff --git |index |new file mode |deleted file mode |similarity index |rename )/.test(
      line,
    )
  )
    return "head";
  if (line.startsWith("-")) return "gone";
  return line.startsWith("+") ? "new" : undefined;
}
