import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import type { Bounds } from "../address/window";
import { questions } from "../api/questions";
import { Button } from "../controls/Button";
import { amount } from "../format/units";
import { formatSelector } from "../selection/selector";
import { useWords } from "../words";
import { tracesPath } from "./asking";
import { type Span, serviceOf, type TraceSummary } from "./model";

interface Props {
  trace: string;
  root: Span;
  bounds: { start: number; end: number };
}

/** Chooses a trace to compare with: one of the same operation from the hour around. */
export function CompareWith({ trace, root, bounds }: Props) {
  const { locale, say } = useWords();
  const [search, setSearch] = useSearchParams();
  const other = search.get("with");
  const around: Bounds = { from: bounds.start - 1_800_000, until: bounds.end + 1_800_000 };
  const selector = formatSelector([{ label: "service_name", operator: "=", value: serviceOf(root) }]);
  const path = tracesPath({ selector, operation: root.name, min: "", errors: false, q: "" }, around, 100);
  const { data = [] } = useQuery(questions.traces(path));
  const others = examples(data.filter((one) => one.trace_id !== trace));
  const choose = (id: string | null) =>
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (id) next.set("with", id);
      else next.delete("with");
      return next;
    });
  if (other) return <Button onClick={() => choose(null)}>{say.traces.compareEnd}</Button>;
  return (
    <select aria-label={say.traces.compare} value="" onChange={(event) => choose(event.target.value)}>
      <option value="">{say.traces.compare}…</option>
      {others.map(({ name, trace: one }) => (
        <option key={name} value={one.trace_id}>
          {say.traces.examples[name]}: {amount(one.duration_ms, "ms", locale)}
        </option>
      ))}
    </select>
  );
}

export type Example = "fastest" | "median" | "slowest" | "failed";

/** A fast one, one in the middle, a slow one, one that failed. */
export function examples(traces: TraceSummary[]): { name: Example; trace: TraceSummary }[] {
  const sorted = traces.toSorted((a, b) => a.duration_ms - b.duration_ms);
  const failed = sorted.find((trace) => trace.errors > 0);
  const found: [Example, TraceSummary | undefined][] = [
    ["fastest", sorted[0]],
    ["median", sorted[Math.floor(sorted.length / 2)]],
    ["slowest", sorted.at(-1)],
    ["failed", failed],
  ];
  return found.flatMap(([name, trace]) => (trace === undefined ? [] : [{ name, trace }]));
}
