import { useWords } from "../words";
import styles from "./delivery.module.css";
import type { TaskState } from "./model";

const SIGNS: Record<TaskState, string> = {
  waiting: "○",
  running: "◐",
  succeeded: "✓",
  failed: "✗",
  cancelled: "⊘",
  skipped: "–",
};

/** A state as a sign and a word. */
export function State({ of }: { of: TaskState }) {
  const { say } = useWords();
  return (
    <span className={styles.state} data-state={of}>
      <span aria-hidden="true">{SIGNS[of]}</span> {say.delivery.states[of]}
    </span>
  );
}
