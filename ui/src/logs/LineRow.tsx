import { milliseconds } from "../format/instants";
import { useWords } from "../words";
import { Highlight } from "./Highlight";
import { type LogLine, level, serviceOf } from "./line";
import styles from "./logs.module.css";

/** Height of a line, in pixels. */
export const ROW = 22;

/** One line in one row: when, how bad, who, what. */
export function LineRow({
  line,
  find,
  wrap = false,
}: {
  line: LogLine | null;
  find: string;
  wrap?: boolean;
}) {
  const { say } = useWords();
  if (line === null) return null;
  const bad = level(line);
  return (
    <div className={styles.line} data-level={bad} data-wrap={wrap || undefined}>
      <i title={say.logs.levels[bad]} />
      <time dateTime={line.time}>{clockOf(line.time)}</time>
      <span className={styles.level}>{say.logs.short[bad]}</span>
      <span className={styles.service} title={serviceOf(line)}>
        {serviceOf(line)}
      </span>
      <code title={wrap ? undefined : line.line}>
        <Highlight text={line.line} find={find} />
      </code>
    </div>
  );
}

/** Local time of day with milliseconds; the day is in the details. */
export function clockOf(time: string): string {
  const at = milliseconds(time);
  if (at === null) return time;
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  const fraction = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${fraction}`;
}
