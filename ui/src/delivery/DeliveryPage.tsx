import { Link, useLocation } from "react-router";
import { useTitle } from "../app/title";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { EnvironmentsView } from "./EnvironmentsView";
import { PipelinesView } from "./PipelinesView";
import { PullsView } from "./PullsView";

/** What is on its way to production, in parts. */
export function DeliveryPage() {
  const { say } = useWords();
  const { pathname } = useLocation();
  useTitle(say.delivery.title);
  const views = [
    { path: "/delivery", name: say.delivery.pipelines, view: <PipelinesView /> },
    { path: "/delivery/pulls", name: say.pulls.title, view: <PullsView /> },
    { path: "/delivery/environments", name: say.promoting.title, view: <EnvironmentsView /> },
  ];
  return (
    <>
      <h1>{say.delivery.title}</h1>
      <p className={styles.lead}>{say.delivery.lead}</p>
      <nav className={styles.views} aria-label={say.delivery.views}>
        {views.map(({ path, name }) => (
          <Link key={path} to={path} aria-current={path === pathname ? "page" : undefined}>
            {name}
          </Link>
        ))}
      </nav>
      {views.find(({ path }) => path === pathname)?.view}
    </>
  );
}
