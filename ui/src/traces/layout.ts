import { precise, type Span } from "./model";

/** A span in the waterfall. Times in milliseconds after the trace's beginning. */
export interface Row {
  span: Span;
  depth: number;
  from: number;
  until: number;
  /** Its duration without that of the spans below it. */
  own: number;
  /** How many spans are below it, at any depth. */
  below: number;
}

export interface Waterfall {
  rows: Row[];
  /** How long all of it took, in milliseconds. */
  length: number;
  /** Milliseconds since the epoch. */
  start: number;
  end: number;
}

/** Lays out a trace in the order of the calls. A span whose parent did not come is a root; circles are cut. */
export function layTrace(spans: readonly Span[]): Waterfall {
  const times = new Map(spans.map((span) => [span, timesOf(span)]));
  const start = Math.min(...[...times.values()].map(([from]) => from));
  const end = Math.max(...[...times.values()].map(([, until]) => until));
  const known = new Set(spans.map((span) => span.span_id));
  const children = Map.groupBy(spans, (span) =>
    known.has(span.parent_span_id) && span.parent_span_id !== span.span_id ? span.parent_span_id : "",
  );
  const byStart = (a: Span, b: Span) => (times.get(a)?.[0] ?? 0) - (times.get(b)?.[0] ?? 0);
  const rows: Row[] = [];
  const seen = new Set<Span>();
  const lay = (roots: Span[]) => {
    const pending = roots
      .toSorted(byStart)
      .reverse()
      .map((span) => ({ span, depth: 0 }));
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { span, depth } = next;
      if (seen.has(span)) continue;
      seen.add(span);
      const [from, until] = times.get(span) ?? [0, 0];
      const below = (children.get(span.span_id) ?? []).toSorted(byStart);
      const own =
        until -
        from -
        covered(
          from,
          until,
          below.map((one) => times.get(one) ?? [0, 0]),
        );
      rows.push({ span, depth, from: from - start, until: until - start, own, below: 0 });
      pending.push(...below.reverse().map((one) => ({ span: one, depth: depth + 1 })));
    }
  };
  lay(children.get("") ?? []);
  lay(spans.filter((span) => !seen.has(span)));
  countBelow(rows);
  return { rows, length: Math.max(end - start, 0.001), start, end };
}

function timesOf(span: Span): [from: number, until: number] {
  const from = precise(span.start);
  return [from, from + span.duration_ms];
}

/** How much of a stretch others cover together. */
function covered(from: number, until: number, others: [number, number][]): number {
  let [sum, reached] = [0, from];
  for (const [begin, end] of others) {
    const [left, right] = [Math.max(begin, reached), Math.min(end, until)];
    if (right > left) sum += right - left;
    reached = Math.max(reached, right);
  }
  return sum;
}

function countBelow(rows: Row[]) {
  const open: Row[] = [];
  for (const row of rows) {
    while ((open.at(-1)?.depth ?? -1) >= row.depth) open.pop();
    for (const above of open) above.below += 1;
    open.push(row);
  }
}

/** The rows that are left when what is below some spans is folded away. */
export function unfolded(rows: readonly Row[], folded: ReadonlySet<string>): Row[] {
  const shown: Row[] = [];
  for (let index = 0; index < rows.length; ) {
    const row = rows[index];
    if (row === undefined) break;
    shown.push(row);
    index += folded.has(row.span.span_id) ? row.below + 1 : 1;
  }
  return shown;
}

/** What one operation of a service cost in a trace: how often, and its own time in milliseconds. */
export interface OperationCost {
  service: string;
  name: string;
  kind: string;
  calls: number;
  own: number;
}

export function costsOf(rows: readonly Row[]): Map<string, OperationCost> {
  const costs = new Map<string, OperationCost>();
  for (const { span, own } of rows) {
    const service = span.resource["service.name"] ?? "";
    const key = JSON.stringify([service, span.name, span.kind]);
    const cost = costs.get(key) ?? { service, name: span.name, kind: span.kind, calls: 0, own: 0 };
    cost.calls += 1;
    cost.own += own;
    costs.set(key, cost);
  }
  return costs;
}

/** Operations of two traces side by side, the greatest difference first. */
export function compareCosts(one: readonly Row[], other: readonly Row[]) {
  const [left, right] = [costsOf(one), costsOf(other)];
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  return keys
    .map((key) => {
      const [a, b] = [left.get(key), right.get(key)];
      const { service = "", name = "", kind = "" } = a ?? b ?? {};
      return { key, service, name, kind, left: a, right: b, difference: (b?.own ?? 0) - (a?.own ?? 0) };
    })
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
}
