import { useId } from "react";
import type { Comparison } from "../../api/wire";
import { Legend } from "../../charts/Legend";
import { useWords } from "../../words";
import styles from "../release.module.css";
import { Logs } from "./Logs";
import { Metrics } from "./Metrics";
import { Operations } from "./Operations";
import { Profiles } from "./Profiles";

/** The evidence of all four signals, side by side; one legend holds for all of it. */
export function Evidence({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  const heading = useId();
  return (
    <section aria-labelledby={heading} className={styles.evidence}>
      <header>
        <h2 id={heading}>{say.evidence}</h2>
        <Legend comparison={comparison} />
      </header>
      <Profiles comparison={comparison} />
      <Metrics comparison={comparison} />
      <Operations comparison={comparison} />
      <Logs comparison={comparison} />
    </section>
  );
}
