import { Link } from "react-router";
import type { Mark, Release } from "../api/wire";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { RunsWith, useRunsWith } from "../delivery/RunsWith";
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
  const found = useRunsWith(version);
  return (
    <Panel title={say.around.origin}>
      {mark ? <Marked mark={mark} /> : null}
      {found.length > 0 ? (
        <>
          <h3>{say.around.runs(version)}</h3>
          <RunsWith value={version} />
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
