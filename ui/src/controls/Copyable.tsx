import { useState } from "react";
import { useWords } from "../words";
import { Button } from "./Button";
import styles from "./controls.module.css";

/** Text to take along, with a button that copies it. */
export function Copyable({ text }: { text: string }) {
  const { say } = useWords();
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <div className={styles.copyable}>
      <pre>{text}</pre>
      {navigator.clipboard ? <Button onClick={copy}>{copied ? say.copied : say.copy}</Button> : null}
    </div>
  );
}
