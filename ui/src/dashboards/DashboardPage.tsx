import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useParams } from "react-router";
import { questions } from "../api/questions";
import { NotFound } from "../app/NotFound";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { instantPath } from "../metrics/asking";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { BoardView } from "./BoardView";
import { BUILT_IN } from "./builtin";
import styles from "./dashboards.module.css";
import { Lost } from "./Lost";
import type { Dashboard } from "./model";
import { OwnMetrics } from "./OwnMetrics";
import { opened } from "./opening";
import { spoken } from "./spoken";

/** One of the dashboards that are always there. */
export function BuiltInPage() {
  const { locale } = useWords();
  const { name = "" } = useParams();
  const dashboard = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (dashboard === undefined) return <NotFound />;
  const board = spoken(dashboard, locale);
  return name === "pilothouse" ? <OwnBoard dashboard={board} /> : <Board dashboard={board} lost={[]} />;
}

/** This server: what was kept of it where somebody lets it be scraped, else what it says now. */
function OwnBoard({ dashboard }: { dashboard: Dashboard }) {
  const { say } = useWords();
  useTitle(dashboard.title);
  const [path] = useState(() =>
    instantPath("count(pilothouse_journal_size_bytes)", { from: 0, until: Date.now() }),
  );
  const { data = [] } = useQuery(questions.metricInstant(path));
  if (data.length > 0) return <Board dashboard={dashboard} lost={[]} />;
  return (
    <>
      <header className={styles.head}>
        <Link to="/dashboards">{say.dashboards.title}</Link>
        <h1>{dashboard.title}</h1>
        <p className="soft small">{say.ownMetrics.lead}</p>
      </header>
      <OwnMetrics />
    </>
  );
}

/** A dashboard of the folder. */
export function OwnPage() {
  const { say } = useWords();
  const { name = "" } = useParams();
  const asked = questions.dashboards();
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {({ dashboards }) => {
        const file = dashboards.find((one) => one.name === name);
        return file === undefined ? <NotFound /> : <Own content={file.content} error={file.error ?? null} />;
      }}
    </Answer>
  );
}

function Own({ content, error }: { content: unknown; error: string | null }) {
  const found = useMemo(() => opened(content), [content]);
  if (error !== null || found.dashboard === null) return <p role="alert">{error ?? found.fault}</p>;
  return <Board dashboard={found.dashboard} lost={found.lost} />;
}

function Board({ dashboard, lost }: { dashboard: Dashboard; lost: string[] }) {
  const { say } = useWords();
  useTitle(dashboard.title);
  const selection = useSelection();
  return (
    <>
      <header className={styles.head}>
        <Link to="/dashboards">{say.dashboards.title}</Link>
        <h1>{dashboard.title}</h1>
        {dashboard.description ? <p className="soft small">{dashboard.description}</p> : null}
      </header>
      <Lost lost={lost} />
      <BoardView dashboard={dashboard} selection={selection} />
    </>
  );
}
