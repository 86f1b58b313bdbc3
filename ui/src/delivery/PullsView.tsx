import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Choice } from "../controls/Choice";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { useOlder } from "../controls/useOlder";
import { useSome } from "../controls/useSome";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { type Pull, type PullState, pullPath, type Repository } from "./pulling";

const STATES: readonly PullState[] = ["open", "merged", "closed"];

/** Pull requests of every repository of the built-in forge; or how to have one. */
export function PullsView() {
  const { say } = useWords();
  const asked = questions.repositories();
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {(repositories) =>
        repositories.length === 0 ? (
          <Panel title={say.pulls.noRepository} lead={say.pulls.noRepositoryLead}>
            <Copyable text={`git push ${location.origin}/git/OWNER/NAME.git main`} />
          </Panel>
        ) : (
          <Repositories all={repositories} />
        )
      }
    </Answer>
  );
}

function Repositories({ all }: { all: Repository[] }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const state = STATES.find((one) => one === search.get("state")) ?? "open";
  return (
    <>
      <div className={styles.states}>
        <Choice
          label={say.delivery.state}
          value={state}
          options={STATES.map((value) => ({ value, text: say.pulls.states[value] }))}
          onChange={(value) => setSearch(value === "open" ? {} : { state: value }, { replace: true })}
        />
      </div>
      {all.map((repository) => (
        <OneRepository key={repository.name} of={repository} state={state} />
      ))}
    </>
  );
}

function OneRepository({ of, state }: { of: Repository; state: PullState }) {
  const { say } = useWords();
  const { limit, older } = useOlder(100, 10_000);
  const asked = questions.pulls(of.name, state, limit);
  const question = useQuery(asked);
  return (
    <Panel title={of.name} lead={of.description}>
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(pulls) =>
          pulls.length === 0 ? (
            <p className="soft">{say.pulls.nonePulls(say.pulls.states[state].toLowerCase())}</p>
          ) : (
            <>
              <Pulls of={of} pulls={pulls} />
              {older(pulls.length)}
            </>
          )
        }
      </Answer>
    </Panel>
  );
}

function Pulls({ of, pulls }: { of: Repository; pulls: Pull[] }) {
  const { say } = useWords();
  const { some, more } = useSome(pulls);
  return (
    <>
      <ul className={styles.startables} aria-label={say.pulls.of(of.name)}>
        {some.map((pull) => (
          <li key={pull.number}>
            <Row of={pull} />
          </li>
        ))}
      </ul>
      {more}
    </>
  );
}

function Row({ of }: { of: Pull }) {
  const { say } = useWords();
  return (
    <header>
      <span className="soft">#{of.number}</span>
      <Link to={pullPath(of.repository, of.number)}>{of.title}</Link>
      {of.draft ? <span className={styles.standing}>{say.pulls.draft}</span> : null}
      {of.mergeable === false && of.state === "open" ? (
        <span className={styles.standing} data-state="drifted">
          {say.pulls.conflict}
        </span>
      ) : null}
      {of.labels.map((label) => (
        <span key={label} className={styles.standing}>
          {label}
        </span>
      ))}
      <span className="soft small">
        {of.author} · <Instant at={of.updated} now={Date.now()} relative />
      </span>
    </header>
  );
}
