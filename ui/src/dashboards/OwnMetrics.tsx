import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { openText } from "../api/client";
import { LineLegend } from "../charts/LineLegend";
import { gridOf } from "../charts/stacking";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { amount } from "../format/units";
import { useWords } from "../words";
import styles from "./dashboards.module.css";
import { courseOf, type Reading, readingOf, withReading } from "./ownMetrics";

const TimeChart = lazy(() => import("../charts/TimeChart"));

/** How often the server is asked, in milliseconds. */
const OFTEN = 5_000;
/** The least time that a chart shows, in milliseconds. */
const LEAST = 120_000;
const KEY = ["own metrics"];

/** Each panel's metric; counters are shown by how fast they grow. */
const PANELS = [
  { title: "received", metric: "pilothouse_received_size_bytes_total", unit: "By/s", counter: true },
  { title: "stored", metric: "pilothouse_stored_size_bytes_total", unit: "By/s", counter: true },
  { title: "waiting", metric: "pilothouse_journal_size_bytes", unit: "By", counter: false },
  { title: "memory", metric: "process_resident_memory_bytes", unit: "By", counter: false },
  { title: "cpu", metric: "process_cpu_seconds_total", unit: "{core}", counter: true },
  { title: "files", metric: "process_open_fds", unit: "", counter: false },
] as const;

/** What this server says of itself, from when somebody first looked: without anything to be configured. */
export function OwnMetrics() {
  const { say } = useWords();
  const client = useQueryClient();
  const question = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      const next = readingOf(await openText("/metrics", signal), Date.now() / 1000);
      return withReading(client.getQueryData<Reading[]>(KEY) ?? [], next);
    },
    refetchInterval: OFTEN,
    staleTime: OFTEN,
    gcTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
  return (
    <Answer question={question} queryKey={KEY} what={say.working}>
      {(readings) => (
        <div className={styles.grid}>
          {PANELS.map((panel) => (
            <div key={panel.metric} style={{ "--columns": "span 6" } as React.CSSProperties}>
              <Panel title={say.ownMetrics[panel.title]}>
                <Course readings={readings} {...panel} />
              </Panel>
            </div>
          ))}
        </div>
      )}
    </Answer>
  );
}

type CourseProps = (typeof PANELS)[number] & { readings: Reading[] };

function Course({ readings, title, metric, unit, counter }: CourseProps) {
  const { locale, say } = useWords();
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const lines = useMemo(() => courseOf(readings, metric, counter), [readings, metric, counter]);
  const grid = useMemo(() => gridOf(lines), [lines]);
  const bounds = useMemo(() => {
    const until = (readings.at(-1)?.at ?? 0) * 1000;
    return { from: Math.min((readings[0]?.at ?? 0) * 1000, until - LEAST), until };
  }, [readings]);
  const last = lines.map(({ points }) => points.at(-1)?.[1] ?? null);
  const sum = last.reduce<number>((all, value) => all + (value ?? 0), 0);
  if (grid.xs.length === 0) return <p className="soft">{say.ownMetrics.soon}</p>;
  return (
    <>
      <p className={styles.now}>{amount(sum, unit, locale)}</p>
      <Suspense fallback={<div className={styles.chart} />}>
        <TimeChart
          label={say.ownMetrics[title]}
          grid={grid}
          unit={unit}
          bounds={bounds}
          height={150}
          sync="own"
          hidden={hidden}
        />
      </Suspense>
      {lines.length > 1 ? (
        <LineLegend label={say.metrics.lines} names={grid.names} hidden={hidden} onToggle={setHidden} />
      ) : null}
    </>
  );
}
