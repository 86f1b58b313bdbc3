import type { SignalState, VerdictName } from "../api/wire";
import { useWords } from "../words";
import styles from "./verdict.module.css";

export type Judgement = VerdictName | "not_judged";

/** One shape per verdict, so that it can be told without its colour. */
const SHAPES: Record<Judgement, string> = {
  worse: "M8 1.2 15.2 14.2H.8Z",
  no_worse: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Z",
  cannot_tell: "M8 .8 15.2 8 8 15.2.8 8Z",
  not_judged: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2Z",
};
const MARKS: Partial<Record<Judgement, string>> = {
  worse: "M8 5.6v4M8 11.8v.3",
  no_worse: "m5 8.2 2.2 2.2L11.2 5.9",
  cannot_tell: "M6.4 6.7c0-2.2 3.3-2 3.2 0 0 1.2-1.6 1.3-1.6 2.5M8 11.3v.2",
};

/** The shape alone: a decoration beside words. */
export function VerdictMark({ of, size = 16 }: { of: Judgement; size?: number }) {
  return (
    <svg
      className={styles.mark}
      data-verdict={of}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
    >
      <path className={styles.shape} d={SHAPES[of]} />
      {MARKS[of] ? <path className={styles.sign} d={MARKS[of]} /> : null}
    </svg>
  );
}

/** Shape, word and colour. */
export function VerdictBadge({ of, large = false }: { of: Judgement; large?: boolean }) {
  const { say } = useWords();
  return (
    <span className={styles.badge} data-verdict={of} data-large={large || undefined}>
      <VerdictMark of={of} size={large ? 22 : 14} />
      {say.verdicts[of]}
    </span>
  );
}

/** The state of one signal; "no data" looks as what was not judged. */
export function StateBadge({ of }: { of: SignalState }) {
  const { say } = useWords();
  const judgement = of === "no_data" ? "not_judged" : of;
  return (
    <span className={styles.badge} data-verdict={judgement}>
      <VerdictMark of={judgement} size={14} />
      {say.states[of]}
    </span>
  );
}
