import { useQuery } from "@tanstack/react-query";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { formatSelector } from "../selection/selector";
import { useWords } from "../words";
import { LineRow } from "./LineRow";
import type { LogLine } from "./line";
import styles from "./logs.module.css";

/** The lines that its own stream had before and after a line. */
export function Context({ line, find }: { line: LogLine; find: string }) {
  const { say } = useWords();
  const asked = questions.lines(contextPath(line));
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.logs.searching}>
      {(found) => {
        const here = found.find((one) => one.line === line.line) ?? found[0];
        const rows = [...(here?.before ?? []), ...(here ? [here] : []), ...(here?.after ?? [])];
        return (
          <ol className={styles.context} aria-label={say.logs.context}>
            {rows.map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line may well be there twice
              <li key={index} aria-current={row === here ? "true" : undefined}>
                <LineRow line={row} find={find} wrap />
              </li>
            ))}
          </ol>
        );
      }}
    </Answer>
  );
}

function contextPath({ stream, time }: LogLine): string {
  const matchers = Object.entries(stream).map(([label, value]) => ({ label, operator: "=" as const, value }));
  const query = `{${formatSelector(matchers)}}`;
  // The end is not part of the range: a nanosecond later is.
  return apiPath("/api/logs/query", { query, start: time, end: later(time), limit: "20", context: "5" });
}

/** The next nanosecond (RFC 3339). */
export function later(time: string): string {
  const found = /^(.*?)(?:\.(\d{1,9}))?Z$/.exec(time);
  const nanoseconds = BigInt((found?.[2] ?? "").padEnd(9, "0")) + 1n;
  if (nanoseconds < 1_000_000_000n) return `${found?.[1]}.${String(nanoseconds).padStart(9, "0")}Z`;
  return `${new Date(Date.parse(`${found?.[1]}Z`) + 1000).toISOString().slice(0, 19)}.000000000Z`;
}
