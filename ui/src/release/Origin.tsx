import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import type { Mark, Release } from "../api/wire";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { stateOf } from "../delivery/model";
import { State } from "../delivery/State";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import styles from "./release.module.css";

interface Props {
  release: Release | null;
  service: string;
  version: string;
}

/** Where a release came from: what was said when it was marked, and the pipeline runs that name its version. */
export function Origin({ release, service, version }: Props) {
  const { say } = useWords();
  const mark = release?.mark ?? null;
  const { data } = useQuery(questions.pipelines());
  const runs = useQuery({
    ...questions.runs("", version),
    enabled: data !== undefined && data.directory !== null,
  });
  const found = runs.data ?? [];
  return (
    <Panel title={say.around.origin}>
      {mark ? <Marked mark={mark} /> : null}
      {found.length > 0 ? (
        <>
          <h3>{say.around.runs(version)}</h3>
          <ul className={styles.runs} aria-label={say.around.runs(version)}>
            {found.map((run) => (
              <li key={run.uid}>
                <Link to={`/delivery/runs/${encodeURIComponent(run.name)}`}>{run.name}</Link>{" "}
                <State of={stateOf(run)} /> <Instant at={run.started} now={Date.now()} relative />
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {mark === null && found.length === 0 ? (
        <>
          <p className="soft">{say.around.noOrigin}</p>
          <Copyable text={`pilothouse releases mark ${service} ${version}`} />
        </>
      ) : null}
    </Panel>
  );
}

function Marked({ mark }: { mark: Mark }) {
  const { say } = useWords();
  const facts = (["by", "environment", "commit", "note"] as const).filter((name) => mark[name]);
  return (
    <dl className={styles.facts}>
      <div>
        <dt>{say.around.marked}</dt>
        <dd>
          <Instant at={mark.at} now={Date.now()} />
        </dd>
      </div>
      {facts.map((name) => (
        <div key={name}>
          <dt>{say.around.facts[name]}</dt>
          <dd>{name === "commit" ? <code>{mark[name]}</code> : mark[name]}</dd>
        </div>
      ))}
      {mark.url ? (
        <div>
          <dt>{say.around.link}</dt>
          <dd>
            <Away to={mark.url} />
          </dd>
        </div>
      ) : null}
    </dl>
  );
}

/** An address that somebody gave: a page of ours, a page of the web, or else text. */
function Away({ to }: { to: string }) {
  const { origin } = window.location;
  if (to.startsWith(`${origin}/`)) return <Link to={to.slice(origin.length)}>{to.slice(origin.length)}</Link>;
  if (!/^https?:\/\//i.test(to)) return <span>{to}</span>;
  return (
    <a href={to} rel="noreferrer noopener" target="_blank">
      {to}
    </a>
  );
}
