import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { useOlder } from "../controls/useOlder";
import { useSome } from "../controls/useSome";
import { Instant } from "../format/Instant";
import { amount } from "../format/units";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { type Run, stateOf } from "./model";
import { State } from "./State";

/** Every run, newest first; of one pipeline when the address says so. Looks again by itself. */
export function Runs() {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const pipeline = search.get("pipeline") ?? "";
  const { limit, older } = useOlder(50, 10_000);
  const asked = questions.runs(pipeline, "", limit);
  const question = useQuery(asked);
  return (
    <Panel
      title={say.delivery.runs}
      aside={
        pipeline === "" ? null : (
          <>
            <span className="small">{say.delivery.onlyOf(pipeline)}</span>
            <Button onClick={() => setSearch({})}>{say.showAll}</Button>
          </>
        )
      }
    >
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(runs) =>
          runs.length === 0 ? (
            <>
              <p className="soft">{say.delivery.noRuns}</p>
              <Copyable text="pilothouse run .tekton/build.yaml" />
            </>
          ) : (
            <>
              <Table runs={runs} />
              {older(runs.length)}
            </>
          )
        }
      </Answer>
    </Panel>
  );
}

function Table({ runs }: { runs: Run[] }) {
  const { locale, say } = useWords();
  const now = Date.now();
  const { some, more } = useSome(runs);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.scroll} aria-label={say.delivery.everyRun} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{say.delivery.run}</th>
            <th scope="col">{say.delivery.pipeline}</th>
            <th scope="col">{say.delivery.state}</th>
            <th scope="col">{say.delivery.started}</th>
            <th scope="col" className="right">
              {say.delivery.took}
            </th>
          </tr>
        </thead>
        <tbody>
          {some.map((run) => (
            <tr key={run.uid}>
              <th scope="row">
                <Link to={`/delivery/runs/${encodeURIComponent(run.name)}`}>{run.name}</Link>
              </th>
              <td>
                <Link to={`/delivery?${new URLSearchParams({ pipeline: run.pipeline })}`}>
                  {run.pipeline}
                </Link>
              </td>
              <td>
                <State of={stateOf(run)} />
              </td>
              <td>
                <Instant at={run.started} now={now} relative />
              </td>
              <td className="right">{amount(run.duration_seconds, "s", locale)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </section>
  );
}
