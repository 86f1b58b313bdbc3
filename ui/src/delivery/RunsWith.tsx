import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { stateOf } from "./model";
import { State } from "./State";

/** The pipeline runs in which a parameter or result is this value, such as a version or a commit. */
export function useRunsWith(value: string) {
  const { data } = useQuery(questions.pipelines());
  const runs = useQuery({
    ...questions.runs("", value),
    enabled: data !== undefined && data.directory !== null,
  });
  return runs.data ?? [];
}

/** Those runs with how each stands; nothing where there is none. */
export function RunsWith({ value }: { value: string }) {
  const { say } = useWords();
  const runs = useRunsWith(value);
  if (runs.length === 0) return null;
  return (
    <ul className={styles.running} aria-label={say.around.runs(value)}>
      {runs.map((run) => (
        <li key={run.uid}>
          <Link to={`/delivery/runs/${encodeURIComponent(run.name)}`}>{run.name}</Link>{" "}
          <State of={stateOf(run)} /> <Instant at={run.started} now={Date.now()} relative />
        </li>
      ))}
    </ul>
  );
}
