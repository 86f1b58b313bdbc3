import { useWords } from "../words";
import { useTell } from "../words/telling";
import type { Rollout } from "./model";
import styles from "./rollouts.module.css";

/** A rollout's steps in a row, each with its weight and how far it is; what is shifted now as a bar. */
export function Steps({ rollout }: { rollout: Rollout }) {
  const { say } = useWords();
  const tell = useTell();
  return (
    <>
      <ol className={styles.steps} aria-label={say.rollouts.steps}>
        {rollout.steps.map((step, index) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the plan
            key={index}
            data-state={step.state}
            title={tell(step.words, step.said).text}
            aria-current={step.state === "now" || step.state === "paused" ? "step" : undefined}
          >
            <b>{step.weight === null ? say.rollouts.pause : `${step.weight}\u202f%`}</b>
            <span>{say.rollouts.step[step.state]}</span>
            {step.requests !== null && step.served !== null ? (
              <span>{say.rollouts.served(step.served, step.requests)}</span>
            ) : null}
          </li>
        ))}
      </ol>
      <div
        className={styles.weight}
        role="img"
        aria-label={say.rollouts.weight(rollout.candidate, rollout.weight)}
      >
        <i style={{ width: `${rollout.weight}%` }} />
      </div>
    </>
  );
}
