import { Link } from "react-router";
import type { Rollout } from "../rollouts/model";
import rows from "../rollouts/rollouts.module.css";
import { Steps } from "../rollouts/Steps";
import { useWords } from "../words";
import styles from "./releases.module.css";

/** A rollout of a service that is in progress: its steps, and how much of the traffic the new version has now. */
export function Ongoing({ rollout }: { rollout: Rollout }) {
  const { say } = useWords();
  return (
    <section className={styles.ongoing} aria-label={say.rollouts.one(String(rollout.id))}>
      <header>
        <Link to={`/rollouts/${rollout.id}`}>
          {rollout.baseline} → {rollout.candidate}
        </Link>
        <span className={rows.state} data-state={rollout.state}>
          {say.rollouts.states[rollout.state]}
        </span>
      </header>
      <Steps rollout={rollout} />
    </section>
  );
}
