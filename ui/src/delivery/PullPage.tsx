import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Away } from "../controls/Away";
import { Difference } from "../controls/Difference";
import { Panel } from "../controls/Panel";
import { Prose } from "../controls/Prose";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./delivery.module.css";
import {
  discussion,
  furtherReasons,
  type Obstacle,
  obstacles,
  type PullWhole,
  type PullWhy,
  type Said,
} from "./pulling";
import { RunsWith } from "./RunsWith";

/** One pull request: why it does not merge, its checks, what was said, and what it changes. */
export function PullPage() {
  const { say } = useWords();
  const { owner = "", name = "", number = "" } = useParams();
  useTitle(`${owner}/${name}#${number}`);
  const asked = questions.pull(`${owner}/${name}`, number);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {(pull) => <Shown pull={pull} />}
    </Answer>
  );
}

function Shown({ pull }: { pull: PullWhole }) {
  const { say } = useWords();
  const now = Date.now();
  return (
    <>
      <header className={styles.head}>
        <Link to="/delivery/pulls">{say.pulls.title}</Link>
        <h1>
          {pull.title} <span className="soft">#{pull.number}</span>
        </h1>
        <span className={styles.standing} data-state={pull.state === "merged" ? "deployed" : pull.state}>
          {say.pulls.states[pull.state]}
        </span>
        <span className="small">
          {pull.repository}: <code>{pull.head.ref}</code> → <code>{pull.base.ref}</code>
        </span>
        <span className="soft small">
          {pull.author} · <Instant at={pull.created} now={now} relative />
        </span>
      </header>
      <Standing pull={pull} />
      {pull.body ? (
        <Panel title={say.pulls.description}>
          <Prose text={pull.body} />
        </Panel>
      ) : null}
      <Panel title={say.pulls.checks}>
        <RunsWith value={pull.head.sha} />
        {pull.statuses.length === 0 ? (
          <p className="soft">{say.pulls.noChecks}</p>
        ) : (
          <ul className={styles.startables} aria-label={say.pulls.checks}>
            {pull.statuses.map((one) => (
              <li key={one.context}>
                <header>
                  <span
                    className={styles.standing}
                    data-state={one.state === "success" ? "deployed" : one.state}
                  >
                    {say.pulls.checkStates[one.state] ?? one.state}
                  </span>
                  <strong>{one.url ? <Away to={one.url}>{one.context}</Away> : one.context}</strong>
                  <span className="small">{one.description}</span>
                </header>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title={say.pulls.said}>
        {discussion(pull).length === 0 ? <p className="soft">{say.pulls.nothingSaid}</p> : null}
        <ol className={styles.startables} aria-label={say.pulls.said}>
          {discussion(pull).map((one) => (
            <li key={`${one.at} ${one.author}`}>
              <Spoken of={one} />
            </li>
          ))}
        </ol>
      </Panel>
      <Files pull={pull} />
      {pull.state === "open" ? null : <Decided pull={pull} />}
    </>
  );
}

/** What the rules of its repository say; asked for once they have heard of it. */
function useWhy({ repository, number }: PullWhole): PullWhy | null {
  const known = useQuery(questions.judgedPulls(repository));
  const why = useQuery({
    ...questions.pullWhy(repository, number),
    enabled: known.data?.includes(number) ?? false,
  });
  return why.data ?? null;
}

/** What keeps it from being merged, by its own state and by the rules of its repository; or that nothing does. */
function Standing({ pull }: { pull: PullWhole }) {
  const { say } = useWords();
  const why = useWhy(pull);
  if (pull.state !== "open") return null;
  const against = obstacles(pull);
  const reasons = furtherReasons(why?.reasons ?? [], against);
  const words = (one: Obstacle): string => {
    switch (one.kind) {
      case "draft":
        return say.pulls.isDraft;
      case "conflict":
        return say.pulls.conflicts(pull.base.ref);
      case "changes":
        return say.pulls.wantsChanges(one.by);
      default:
        return `${say.pulls.checkStates[one.state] ?? one.state}: ${one.context} ${one.description}`;
    }
  };
  return (
    <Panel title={against.length + reasons.length > 0 ? say.pulls.against : say.pulls.nothingAgainst}>
      {against.length + reasons.length > 0 ? (
        <ul aria-label={say.pulls.against}>
          {against.map((one) => (
            <li key={words(one)}>{words(one)}</li>
          ))}
          {reasons.map((text) => (
            <li key={text}>
              <Saying text={text} />
            </li>
          ))}
        </ul>
      ) : null}
      {why?.pool.words ? (
        <p>
          <Saying text={why.pool.words} />
        </p>
      ) : null}
      {why?.jobs.map((one) => (
        <p key={one.job} className="small">
          <code>{one.job}</code> <Saying text={one.words} />
        </p>
      ))}
      <p className="small soft">
        {pull.labels.length > 0 ? `${say.pulls.labels}: ${pull.labels.join(", ")}. ` : ""}
        {pull.requested_reviewers.length > 0
          ? `${say.pulls.reviewers}: ${pull.requested_reviewers.join(", ")}.`
          : ""}
      </p>
      {why ? <Done why={why} /> : null}
    </Panel>
  );
}

/** Of one that has ended, what led there. */
function Decided({ pull }: { pull: PullWhole }) {
  const { say } = useWords();
  const why = useWhy(pull);
  if (why === null || why.decisions.length === 0) return null;
  return (
    <Panel title={say.pulls.decided}>
      <Decisions why={why} />
    </Panel>
  );
}

function Done({ why }: { why: PullWhy }) {
  const { say } = useWords();
  if (why.decisions.length === 0) return null;
  return (
    <details>
      <summary>{say.pulls.decided}</summary>
      <Decisions why={why} />
    </details>
  );
}

/** What was done at each event, newest first. */
function Decisions({ why }: { why: PullWhy }) {
  return (
    <ol className={styles.startables}>
      {why.decisions.map((one) => (
        <li key={`${one.at} ${one.event}`} lang="en">
          <header>
            <Instant at={new Date(one.at * 1000).toISOString()} now={Date.now()} />
            <span>{one.event}</span> <span className="soft">{one.by}</span>
          </header>
          {one.did.map((effect) => (
            <p key={effect.effect} className="small">
              {effect.effect}{" "}
              <span className="soft">{[effect.state, effect.reason].filter(Boolean).join(": ")}</span>
            </p>
          ))}
        </li>
      ))}
    </ol>
  );
}

function Spoken({ of }: { of: Said }) {
  const { say } = useWords();
  return (
    <>
      <header>
        <strong>{of.author}</strong>
        {of.path ? (
          <code className="small">
            {of.path}:{of.line}
          </code>
        ) : null}
        {of.state ? (
          <span
            className={styles.standing}
            data-state={
              of.state === "approved" ? "deployed" : of.state === "changes_requested" ? "failed" : ""
            }
          >
            {say.pulls.reviewStates[of.state] ?? of.state}
          </span>
        ) : null}
        <span className="soft small">
          <Instant at={of.at} now={Date.now()} relative />
        </span>
      </header>
      {of.body ? <Prose text={of.body} /> : null}
    </>
  );
}

function Files({ pull }: { pull: PullWhole }) {
  const { say } = useWords();
  const asked = questions.pullDifference(pull.repository, pull.number);
  const question = useQuery(asked);
  const added = pull.files.reduce((sum, file) => sum + file.additions, 0);
  const gone = pull.files.reduce((sum, file) => sum + file.deletions, 0);
  return (
    <Panel title={say.pulls.files(pull.files.length + pull.files_left_out)} lead={`+${added} −${gone}`}>
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(text) => <Difference label={say.pulls.changes} text={text} />}
      </Answer>
    </Panel>
  );
}
