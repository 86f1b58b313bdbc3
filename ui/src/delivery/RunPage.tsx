import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { post } from "../api/client";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Panel } from "../controls/Panel";
import { Problem } from "../controls/Problem";
import { Progress } from "../controls/Progress";
import { Instant } from "../format/Instant";
import { amount } from "../format/units";
import { formatSelector } from "../selection/selector";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./delivery.module.css";
import { type Result, type RunWhole, stateOf, valueText } from "./model";
import { RunLogView } from "./RunLogView";
import { State } from "./State";
import { TaskFacts } from "./TaskFacts";

const TaskGraph = lazy(() => import("./TaskGraph"));

/** One run as it goes: its tasks as a graph, their log as it is written, what it took and gave. */
export function RunPage() {
  const { say } = useWords();
  const { run: name = "" } = useParams();
  useTitle(name);
  const asked = questions.run(name);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {(run) => <Shown run={run} />}
    </Answer>
  );
}

function Shown({ run }: { run: RunWhole }) {
  const { locale, say } = useWords();
  const [search, setSearch] = useSearchParams();
  const chosen = run.tasks.find((task) => task.name === search.get("task")) ?? null;
  const choose = (task: string | null) =>
    setSearch(task === null ? {} : { task }, { replace: true, preventScrollReset: true });
  return (
    <>
      <header className={styles.head}>
        <Link to="/delivery">{say.delivery.title}</Link>
        <h1>{run.name}</h1>
        <State of={stateOf(run)} />
        <Link to={`/delivery?${new URLSearchParams({ pipeline: run.pipeline })}`}>{run.pipeline}</Link>
        <span className="small">
          <Instant at={run.started} now={Date.now()} /> · {amount(run.duration_seconds, "s", locale)}
        </span>
        {run.trace_id ? (
          <Link className="small" to={`/explore/traces/${run.trace_id}`}>
            {say.delivery.itsTrace}
          </Link>
        ) : null}
        <Link className="small" to={`/explore/logs?${new URLSearchParams({ selector: selectorOf(run) })}`}>
          {say.delivery.itsTelemetry}
        </Link>
        {run.status === "Unknown" ? <Cancel run={run.name} /> : null}
      </header>
      {run.message && run.status === "False" ? (
        <p>
          <Saying text={run.message} />
        </p>
      ) : null}
      <Panel title={say.delivery.graph} lead={say.delivery.graphLead}>
        <Suspense fallback={<Progress what={say.working} />}>
          <TaskGraph tasks={run.tasks} chosen={chosen?.name ?? null} choose={choose} />
        </Suspense>
        {chosen ? <TaskFacts task={chosen} close={() => choose(null)} /> : null}
      </Panel>
      <RunLogView key={`${run.uid} ${chosen?.name}`} run={run.uid} task={chosen?.name ?? null} />
      <div className={styles.values}>
        <Values title={say.delivery.params} values={run.params} />
        <Values title={say.delivery.results} values={run.results} />
      </div>
    </>
  );
}

/** What a pipeline says of itself in its telemetry: the pipeline is the service, the run its version. */
function selectorOf(run: RunWhole): string {
  return formatSelector([
    { label: "service_name", operator: "=", value: `pipeline/${run.pipeline}` },
    { label: "service_version", operator: "=", value: run.name },
  ]);
}

function Values({ title, values }: { title: string; values: Result[] }) {
  if (values.length === 0) return null;
  return (
    <Panel title={title}>
      <dl className={styles.facts}>
        {values.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{valueText(value)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** Asks once more before it ends the run; its last tasks run all the same. */
function Cancel({ run }: { run: string }) {
  const { say } = useWords();
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const cancel = useMutation({
    mutationFn: () =>
      post(`/api/pipelines/runs/${encodeURIComponent(run)}/cancel`, { how: "CancelledRunFinally" }),
    onSettled: () => {
      setSure(false);
      client.invalidateQueries({ queryKey: questions.run(run).queryKey });
    },
  });
  return (
    <>
      <Button disabled={cancel.isPending} onClick={() => (sure ? cancel.mutate() : setSure(true))}>
        {sure ? say.delivery.reallyCancel : say.delivery.cancel}
      </Button>
      {cancel.error ? <Problem problem={cancel.error} /> : null}
    </>
  );
}
