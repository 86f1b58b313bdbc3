import { useMemo } from "react";
import { amount } from "../format/units";
import { layGraph, pathThrough } from "../graphs/layered";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { arrowsOf, boxesOf, lengthOf, type Task } from "./model";
import { State } from "./State";

interface Props {
  tasks: Task[];
  chosen: string | null;
  choose: (task: string | null) => void;
}

/** The tasks of a run in layers; each says how far it is, and can be chosen. */
export default function TaskGraph({ tasks, chosen, choose }: Props) {
  const { locale, say } = useWords();
  // Laid out again only when there are other tasks, not each time that one of them goes on.
  const shape = JSON.stringify(tasks.map((task) => [task.name, task.after, task.finally]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` says all of `tasks` that matters
  const { arrows, laid } = useMemo(() => {
    const made = arrowsOf(tasks);
    return { arrows: made, laid: layGraph(boxesOf(tasks), made, { between: 22, layers: 56 }) };
  }, [shape]);
  const now = Date.now();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.drawing} aria-label={say.delivery.drawing} tabIndex={0}>
      <div style={{ width: laid.width, height: laid.height }}>
        <svg
          viewBox={`0 0 ${laid.width} ${laid.height}`}
          width={laid.width}
          height={laid.height}
          aria-hidden="true"
        >
          {laid.edges.map(({ from, to, points }, index) => (
            <path
              key={`${from} ${to}`}
              d={pathThrough(points)}
              className={styles.arrow}
              data-last={arrows[index]?.last || undefined}
            />
          ))}
        </svg>
        <ol className={styles.boxes}>
          {tasks.map((task) => {
            const place = laid.nodes.get(task.name);
            if (place === undefined) return null;
            const { x, y, width, height } = place;
            const length = lengthOf(task, now);
            return (
              <li key={task.name} style={{ left: x - width / 2, top: y - height / 2, width, height }}>
                <button
                  type="button"
                  data-state={task.state}
                  aria-pressed={task.name === chosen}
                  title={task.finally ? say.delivery.comesLast : undefined}
                  onClick={() => choose(task.name === chosen ? null : task.name)}
                >
                  <strong>{task.name}</strong>
                  <span>
                    <State of={task.state} /> {length === null ? null : amount(length, "s", locale)}
                  </span>
                </button>
              </li>
            );
          })}
        </ol>
      </div>
    </section>
  );
}
