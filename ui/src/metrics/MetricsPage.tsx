import { lazy, Suspense } from "react";
import { useTitle } from "../app/title";
import { Button } from "../controls/Button";
import { Choice } from "../controls/Choice";
import { Progress } from "../controls/Progress";
import { SelectionBar } from "../selection/SelectionBar";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { Catalog } from "./Catalog";
import { Expression } from "./Expression";
import styles from "./metrics.module.css";

const QueryEditor = lazy(() => import("./QueryEditor"));

/** Metrics: PromQL expressions as charts and tables, and all metrics there are to begin with. */
export function MetricsPage() {
  const { say } = useWords();
  useTitle(say.signals.metrics);
  const selection = useSelection();
  const { search, change } = selection;
  const queries = search.getAll("query").filter(Boolean);
  const view = search.get("view") === "table" ? "table" : "graph";
  const exemplars = search.get("exemplars") === "1";
  const set = (all: string[]) => selection.changeAll("query", all.filter(Boolean));
  const views = [
    { value: "graph" as const, text: say.metrics.chart },
    { value: "table" as const, text: say.table },
  ];
  return (
    <>
      <h1 className="hidden">{say.signals.metrics}</h1>
      <SelectionBar selection={selection} />
      <Suspense fallback={<Progress what={say.working} />}>
        {[...queries, ...(queries.length === 0 ? [""] : [])].map((query, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an editor is the place of an expression, not its text
          <div key={at} className={styles.query}>
            <QueryEditor
              label={say.metrics.expression(at + 1)}
              hint={say.metrics.hint}
              value={query}
              onTake={(text) => set(queries.toSpliced(at, 1, text))}
            />
            {queries.length > 1 ? (
              <Button
                quiet
                aria-label={say.metrics.remove(at + 1)}
                onClick={() => set(queries.toSpliced(at, 1))}
              >
                ×
              </Button>
            ) : null}
          </div>
        ))}
      </Suspense>
      {queries.length > 0 ? (
        <>
          <div className={styles.tools}>
            <Choice
              label={say.view}
              value={view}
              options={views}
              onChange={(next) => change({ view: next })}
            />
            <label className={styles.check}>
              <input
                type="checkbox"
                checked={exemplars}
                onChange={(event) => change({ exemplars: event.target.checked ? "1" : null })}
              />
              {say.metrics.exemplars}
            </label>
            <Button onClick={() => set([...queries, queries.at(-1) ?? ""])}>{say.metrics.another}</Button>
            <Button quiet onClick={() => set([])}>
              {say.metrics.all}
            </Button>
          </div>
          {queries.map((query, at) => (
            <Expression
              // biome-ignore lint/suspicious/noArrayIndexKey: an expression may be there twice
              key={at}
              query={query}
              selection={selection}
              view={view}
              exemplars={exemplars}
            />
          ))}
        </>
      ) : (
        <Catalog selection={selection} onChoose={(query) => set([query])} />
      )}
    </>
  );
}
