import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { useOlder } from "../controls/useOlder";
import { useSome } from "../controls/useSome";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import { Told } from "../words/telling";
import type { Rollout } from "./model";
import styles from "./rollouts.module.css";
import { Steps } from "./Steps";

/** All rollouts, newest first; looks again by itself. */
export function RolloutsPage() {
  const { say } = useWords();
  useTitle(say.rollouts.title);
  const { limit, older } = useOlder(100, 1000);
  const asked = questions.rollouts(limit);
  const question = useQuery(asked);
  return (
    <>
      <h1 className={styles.title}>{say.rollouts.title}</h1>
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(rollouts) =>
          rollouts.length === 0 ? (
            <Panel title={say.rollouts.none} lead={say.rollouts.noneLead}>
              <pre>pilothouse rollout start plan.yaml</pre>
            </Panel>
          ) : (
            <>
              <Listed rollouts={rollouts} />
              {older(rollouts.length)}
            </>
          )
        }
      </Answer>
    </>
  );
}

function Listed({ rollouts }: { rollouts: Rollout[] }) {
  const { say } = useWords();
  const { some, more } = useSome(rollouts, 50);
  return (
    <>
      <ul className={styles.list} aria-label={say.rollouts.title}>
        {some.map((rollout) => (
          <li key={rollout.id}>
            <Row rollout={rollout} />
          </li>
        ))}
      </ul>
      {more}
    </>
  );
}

function Row({ rollout }: { rollout: Rollout }) {
  const { say } = useWords();
  return (
    <>
      <header>
        <Link to={`/rollouts/${rollout.id}`}>
          {rollout.service} {rollout.baseline} → {rollout.candidate}
        </Link>
        <span className={styles.state} data-state={rollout.state}>
          {say.rollouts.states[rollout.state]}
        </span>
        <span className="soft small">
          <Instant at={rollout.started} now={Date.now()} relative />
        </span>
      </header>
      <Steps rollout={rollout} />
      {rollout.reason ? (
        <p className="soft small">
          <Told text={rollout.reason} parts={rollout.said} />
        </p>
      ) : null}
    </>
  );
}
