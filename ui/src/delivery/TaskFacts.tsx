import { Button } from "../controls/Button";
import { amount } from "../format/units";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./delivery.module.css";
import { lengthOf, type Task, valueText } from "./model";
import { State } from "./State";

/** One task: how far it is and why, its steps with their exit codes, its results. */
export function TaskFacts({ task, close }: { task: Task; close: () => void }) {
  const { locale, say } = useWords();
  const length = lengthOf(task, Date.now());
  return (
    <section className={styles.task} aria-label={`${say.delivery.task} ${task.name}`}>
      <header>
        <h3>{task.name}</h3>
        <State of={task.state} />
        {length === null ? null : <span className="small">{amount(length, "s", locale)}</span>}
        {task.retries > 0 ? <span className="small">{say.delivery.retried(task.retries)}</span> : null}
        {task.state !== "succeeded" ? <Saying className="small" text={task.message || task.reason} /> : null}
        <Button onClick={close}>{say.delivery.allTasks}</Button>
      </header>
      {task.steps.length > 0 ? (
        <ol className={styles.steps} aria-label={say.delivery.steps}>
          {task.steps.map((step, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a matrix has steps of the same names
            <li key={index}>
              <code>{step.name}</code>{" "}
              {step.exit_code === null ? null : (
                <span data-bad={step.exit_code !== 0 || undefined}>
                  {say.delivery.exitCode(step.exit_code)}
                </span>
              )}{" "}
              {step.started && step.finished
                ? amount((Date.parse(step.finished) - Date.parse(step.started)) / 1000, "s", locale)
                : null}
            </li>
          ))}
        </ol>
      ) : null}
      {task.results.length > 0 ? (
        <dl className={styles.facts}>
          {task.results.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <code>{valueText(value)}</code>
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </section>
  );
}
