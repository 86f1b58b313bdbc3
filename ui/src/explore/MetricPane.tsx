import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { firstQuery } from "../metrics/asking";
import { RangeChart } from "../metrics/Expression";
import { type Selection, sameSelection } from "../selection/useSelection";
import { useWords } from "../words";
import styles from "./explore.module.css";
import { firstMetric } from "./model";

/** One metric over time, each version by itself; exemplars lead to traces. */
export function MetricPane({ selection }: { selection: Selection }) {
  const { say } = useWords();
  const asked = questions.metricFacts();
  const question = useQuery(asked);
  const facts = question.data ?? {};
  const names = Object.keys(facts).sort();
  const wanted = selection.search.get("metric");
  const name = wanted !== null && Object.hasOwn(facts, wanted) ? wanted : firstMetric(names);
  const query =
    name === null ? "" : firstQuery(name, facts[name]?.type ?? "", selection.selector, selection.bounds);
  const choice =
    name === null ? null : (
      <select
        className={styles.choice}
        aria-label={say.metrics.metric}
        value={name}
        onChange={(event) => selection.change({ metric: event.target.value })}
      >
        {names.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    );
  return (
    <Panel title={say.signals.metrics} aside={choice}>
      <Answer question={question} queryKey={asked.queryKey} what={say.metrics.asking}>
        {() =>
          name === null ? (
            <p className="soft">{say.explore.noMetrics}</p>
          ) : (
            <>
              <RangeChart
                query={query}
                selection={selection}
                facts={facts}
                exemplars={facts[name]?.type === "histogram"}
                height={150}
                sync="explore"
                compact
              />
              <Link
                className={styles.more}
                to={sameSelection(selection.search, "/explore/metrics", { query })}
              >
                {say.explore.open}
              </Link>
            </>
          )
        }
      </Answer>
    </Panel>
  );
}
