import { useTitle } from "../app/title";
import { SelectionBar } from "../selection/SelectionBar";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { DifferentPane } from "./DifferentPane";
import styles from "./explore.module.css";
import { LogsPane } from "./LogsPane";
import { MetricPane } from "./MetricPane";
import { MovedPane } from "./MovedPane";
import { ProfilePane } from "./ProfilePane";
import { TracesPane } from "./TracesPane";

/** All four signals of the same who and when, in step: what is marked in one narrows all. */
export function ExplorePage() {
  const { say } = useWords();
  useTitle(say.explore.title);
  const selection = useSelection();
  return (
    <>
      <h1 className="hidden">{say.explore.title}</h1>
      <SelectionBar selection={selection} />
      <p className="soft small">{say.explore.lead}</p>
      <div className={styles.panes}>
        <MetricPane selection={selection} />
        <TracesPane selection={selection} />
        <LogsPane selection={selection} />
        <ProfilePane selection={selection} />
        <DifferentPane selection={selection} />
        <MovedPane selection={selection} />
      </div>
    </>
  );
}
