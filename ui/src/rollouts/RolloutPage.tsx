import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { releasePath } from "../address/release";
import { post } from "../api/client";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Panel } from "../controls/Panel";
import { Problem } from "../controls/Problem";
import { Instant } from "../format/Instant";
import { VerdictBadge } from "../verdict/VerdictBadge";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import { Told } from "../words/telling";
import { type Action, possible, type RolloutWhole } from "./model";
import styles from "./rollouts.module.css";
import { Steps } from "./Steps";

/** One rollout: its steps, every decision with its reason, and what a person can do. */
export function RolloutPage() {
  const { say } = useWords();
  const { rollout: id = "" } = useParams();
  useTitle(say.rollouts.one(id));
  const asked = questions.rollout(id);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {(rollout) => <Shown rollout={rollout} />}
    </Answer>
  );
}

function Shown({ rollout }: { rollout: RolloutWhole }) {
  const { say } = useWords();
  const { service, baseline, candidate } = rollout;
  const now = Date.now();
  return (
    <>
      <header className={styles.head}>
        <Link to="/rollouts">{say.rollouts.title}</Link>
        <h1>
          {service} {baseline} → {candidate}
        </h1>
        <span className={styles.state} data-state={rollout.state}>
          {say.rollouts.states[rollout.state]}
        </span>
        {rollout.verdict ? <VerdictBadge of={rollout.verdict} /> : null}
        <Link to={releasePath({ service, version: candidate, previous: baseline })}>
          {say.rollouts.compare}
        </Link>
      </header>
      <Panel title={say.rollouts.steps} aside={<Acts rollout={rollout} />}>
        <Steps rollout={rollout} />
        {rollout.reason ? (
          <p>
            <Told text={rollout.reason} parts={rollout.said} />
          </p>
        ) : null}
        {rollout.not_mapped.length > 0 ? (
          <>
            <h3>{say.rollouts.notMapped}</h3>
            <ul>
              {rollout.not_mapped.map((text) => (
                <li key={text}>
                  <Saying text={text} />
                </li>
              ))}
            </ul>
          </>
        ) : null}
      </Panel>
      <Panel title={say.rollouts.events}>
        <ol className={styles.events} aria-label={say.rollouts.events}>
          {rollout.events.toReversed().map((event, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no other name
            <li key={index}>
              <Instant at={event.at} now={now} />
              <Told text={event.words} parts={event.said} />
              <span className="soft">{event.by}</span>
            </li>
          ))}
        </ol>
      </Panel>
    </>
  );
}

/** What a person can do; giving up asks once more. */
function Acts({ rollout }: { rollout: RolloutWhole }) {
  const { say } = useWords();
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const act = useMutation({
    mutationFn: (action: Action) => post(`/api/rollouts/${rollout.id}`, { action, by: "page" }),
    onSettled: () => {
      setSure(false);
      client.invalidateQueries({ queryKey: questions.rollout(String(rollout.id)).queryKey });
    },
  });
  return (
    <>
      {possible(rollout).map((action) => (
        <Button
          key={action}
          disabled={act.isPending}
          onClick={() => (action === "abort" && !sure ? setSure(true) : act.mutate(action))}
        >
          {action === "abort" && sure ? say.rollouts.reallyAbort : say.rollouts.actions[action]}
        </Button>
      ))}
      {act.error ? <Problem problem={act.error} /> : null}
    </>
  );
}
