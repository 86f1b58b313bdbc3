import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import type { Mark, Release } from "../api/wire";
import { Away } from "../controls/Away";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { pullPath } from "../delivery/pulling";
import { RunsWith, useRunsWith } from "../delivery/RunsWith";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import styles from "./release.module.css";

interface Props {
  release: Release | null;
  service: string;
  version: string;
}

/** Where a release came from: its pull requests, what was said when it was marked, the runs that name its version. */
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
          <dd>{name === "commit" ? <code>{mark[name]}</code> : <Said text={mark[name] ?? ""} />}</dd>
        </div>
      ))}
      {mark.made_of ? <Made of={mark.made_of} /> : null}
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

/** Who marked it; a rollout has a page of its own. */
function Said({ text }: { text: string }) {
  const rollout = /^rollout (\d+)$/.exec(text);
  return rollout ? <Link to={`/rollouts/${rollout[1]}`}>{text}</Link> : text;
}

/** The pull requests that a release was made of, its tag, and the run that shipped it. */
function Made({ of }: { of: NonNullable<Mark["made_of"]> }) {
  const { say } = useWords();
  return (
    <>
      {of.pull_requests.length > 0 ? (
        <div>
          <dt>{say.around.pulls}</dt>
          <dd>
            {of.pull_requests.map((number) => (
              <Pull key={number} of={of} number={number} />
            ))}
          </dd>
        </div>
      ) : null}
      {of.tag ? (
        <div>
          <dt>{say.around.tag}</dt>
          <dd>
            {of.repository} <code>{of.tag}</code>
          </dd>
        </div>
      ) : null}
      {of.run ? (
        <div>
          <dt>{say.around.run}</dt>
          <dd>
            <Link to={`/delivery/runs/${encodeURIComponent(of.run)}`}>{of.run}</Link>
          </dd>
        </div>
      ) : null}
    </>
  );
}

/** One of them with its title; only the forge of this server has pages here. */
function Pull({ of, number }: { of: NonNullable<Mark["made_of"]>; number: number }) {
  const local = of.forge === "local";
  const found = useQuery({ ...questions.pull(of.repository, String(number)), enabled: local });
  const name = `${of.repository}#${number}`;
  return (
    <span className={styles.pull}>
      {local ? <Link to={pullPath(of.repository, number)}>{name}</Link> : name} {found.data?.title}
    </span>
  );
}
