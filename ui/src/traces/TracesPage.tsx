import { lazy, Suspense } from "react";
import { useTitle } from "../app/title";
import { Choice } from "../controls/Choice";
import { DeferredField } from "../controls/DeferredField";
import { Progress } from "../controls/Progress";
import { AskDifferent } from "../explore/AskDifferent";
import { SelectionBar } from "../selection/SelectionBar";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { FoundTraces } from "./FoundTraces";
import styles from "./traces.module.css";

const ServiceGraph = lazy(() => import("./ServiceGraph"));

/** Traces: those that fit, as points and in a list; or who calls whom. */
export function TracesPage() {
  const { say } = useWords();
  useTitle(say.signals.traces);
  const selection = useSelection();
  const { search, change } = selection;
  const view = search.get("view") === "graph" ? "graph" : "list";
  const views = [
    { value: "list" as const, text: say.traces.list },
    { value: "graph" as const, text: say.traces.graph },
  ];
  const field = (name: string, label: string, placeholder: string) => (
    <DeferredField
      label={label}
      placeholder={placeholder}
      value={search.get(name) ?? ""}
      onChange={(text) => change({ [name]: text })}
    />
  );
  const errors = search.get("errors") === "1";
  return (
    <>
      <h1 className="hidden">{say.signals.traces}</h1>
      <SelectionBar selection={selection} />
      <div className={styles.tools}>
        <Choice label={say.view} value={view} options={views} onChange={(next) => change({ view: next })} />
        {view === "list" ? (
          <>
            {field("operation", say.traces.operation, say.traces.operation)}
            {field("min", say.traces.atLeast, say.traces.atLeastExample)}
            {field("q", "TraceQL", "{ duration > 100ms }")}
            <label className={styles.check}>
              <input
                type="checkbox"
                checked={errors}
                onChange={(event) => change({ errors: event.target.checked ? "1" : null })}
              />
              {say.traces.onlyErrors}
            </label>
            {errors || search.get("min") ? (
              <AskDifferent
                search={search}
                these={{
                  about: errors ? "failed" : "slow",
                  slow: search.get("min"),
                  operation: search.get("operation"),
                }}
              />
            ) : null}
          </>
        ) : null}
      </div>
      {view === "list" ? (
        <FoundTraces selection={selection} />
      ) : (
        <Suspense fallback={<Progress what={say.working} />}>
          <ServiceGraph selection={selection} />
        </Suspense>
      )}
    </>
  );
}
