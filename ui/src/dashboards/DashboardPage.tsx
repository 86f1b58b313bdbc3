import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link, useParams } from "react-router";
import { questions } from "../api/questions";
import { NotFound } from "../app/NotFound";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { BoardView } from "./BoardView";
import { BUILT_IN } from "./builtin";
import styles from "./dashboards.module.css";
import { Lost } from "./Lost";
import type { Dashboard } from "./model";
import { opened } from "./opening";

/** One of the dashboards that are always there. */
export function BuiltInPage() {
  const { name = "" } = useParams();
  const dashboard = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  return dashboard === undefined ? <NotFound /> : <Board dashboard={dashboard} lost={[]} />;
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
