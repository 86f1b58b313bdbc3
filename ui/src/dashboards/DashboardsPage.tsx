import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";
import { BUILT_IN } from "./builtin";
import styles from "./dashboards.module.css";
import { ImportPanel } from "./ImportPanel";
import { opened } from "./opening";
import { spoken } from "./spoken";

/** All dashboards: those that are always there, those of the folder, and the import of Grafana's. */
export function DashboardsPage() {
  const { locale, say } = useWords();
  useTitle(say.dashboards.title);
  const asked = questions.dashboards();
  const question = useQuery(asked);
  return (
    <>
      <h1 className={styles.title}>{say.dashboards.title}</h1>
      <Panel title={say.dashboards.builtIn}>
        <ul className={styles.list}>
          {Object.entries(BUILT_IN).map(([name, dashboard]) => {
            const { title, description } = spoken(dashboard, locale);
            return (
              <li key={name}>
                <Link to={`/dashboards/${name}`}>{title}</Link> <span className="soft">{description}</span>
              </li>
            );
          })}
        </ul>
      </Panel>
      <Panel title={say.dashboards.own} lead={say.dashboards.ownLead}>
        <Answer question={question} queryKey={asked.queryKey} what={say.working}>
          {({ folder, dashboards }) => (
            <>
              <p className="small">
                <code>{folder}</code>
              </p>
              {dashboards.length === 0 ? <p className="soft">{say.dashboards.none}</p> : null}
              <ul className={styles.list}>
                {dashboards.map((file) => {
                  const found = opened(file.content);
                  const fault = file.error ?? found.fault;
                  return (
                    <li key={file.name}>
                      {fault ? (
                        <>
                          <code>{file.name}.json</code> <span className={styles.bad}>{fault}</span>
                        </>
                      ) : (
                        <Link to={`/dashboards/own/${encodeURIComponent(file.name)}`}>
                          {found.dashboard?.title}
                        </Link>
                      )}
                    </li>
                  );
                })}
              </ul>
            </>
          )}
        </Answer>
      </Panel>
      <ImportPanel />
    </>
  );
}
