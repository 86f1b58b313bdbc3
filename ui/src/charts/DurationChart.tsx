import { useMemo } from "react";
import uPlot from "uplot";
import type { Comparison, Durations, Finding } from "../api/wire";
import { share } from "../format/changes";
import { amount, count, inScale, scaleFor } from "../format/units";
import { useWords } from "../words";
import styles from "./charts.module.css";
import { type Shares, sharesOf } from "./histogram";
import { hover } from "./hover";
import { axis, type Colours, Plot, verticalAxis } from "./Plot";

interface Props {
  durations: Durations;
  comparison: Comparison;
  finding: Finding;
  label: string;
}

/** How long one operation took in both versions: two histograms, each as shares of its own calls. */
export default function DurationChart({ durations, comparison, finding, label }: Props) {
  const { locale, say } = useWords();
  const [before, after] = [comparison.baseline.version, comparison.candidate.version];
  const shares = useMemo(() => sharesOf(durations, before, after), [durations, before, after]);
  const data = useMemo((): uPlot.AlignedData => (shares ? stepped(shares) : [[], [], []]), [shares]);
  const options = useMemo(
    () => (colours: Colours) =>
      optionsFor(shares, durations.unit, [before, after], marksOf(finding, durations.unit), locale, colours),
    [shares, durations.unit, before, after, finding, locale],
  );
  if (shares === null) return <p className="soft">{say.noCalls}</p>;
  return (
    <>
      <Plot label={label} data={data} options={options} />
      <p className="soft small">
        {say.shareOfRequests} {say.callsOf(before, count(shares.calls.baseline, locale))},{" "}
        {say.callsOf(after, count(shares.calls.candidate, locale))}
      </p>
      <Buckets shares={shares} unit={durations.unit} versions={[before, after]} />
    </>
  );
}

/** A step lasts until the next edge; the last value is there twice so that its step has a width. */
function stepped(shares: Shares): uPlot.AlignedData {
  const last = (values: number[]) => [...values, values.at(-1) ?? 0];
  return [shares.edges, last(shares.baseline), last(shares.candidate)];
}

/** The finding's two numbers, drawn as lines where they are durations in the chart's own unit. */
function marksOf(finding: Finding, unit: string): { baseline: number | null; candidate: number | null } {
  const drawn = finding.unit === unit;
  return { baseline: drawn ? finding.baseline : null, candidate: drawn ? finding.candidate : null };
}

function optionsFor(
  shares: Shares | null,
  unit: string,
  versions: [string, string],
  marks: { baseline: number | null; candidate: number | null },
  locale: string,
  colours: Colours,
): Omit<uPlot.Options, "width" | "height"> {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  const line = (side: "baseline" | "candidate"): uPlot.Series => ({
    stroke: colours[side],
    width: side === "candidate" ? 2 : 1.5,
    dash: side === "candidate" ? [] : [5, 3],
    fill: colours[side].replace(/^rgb\((.*)\)$/, "rgba($1, 0.16)"),
    points: { show: false },
    ...(paths ? { paths } : {}),
  });
  const edges = shares?.edges ?? [];
  const range: [number, number] = [edges[0] ?? 1, edges.at(-1) ?? 10];
  return {
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, distr: shares?.logarithmic ? 3 : 1, range: () => range },
      y: { range: (_, __, high) => [0, (high || 1) * 1.12] },
    },
    axes: [
      axis(colours, {
        values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : amount(tick, unit, locale))),
        space: 60,
      }),
      verticalAxis(colours, { values: (_, ticks) => ticks.map((tick) => share(tick, locale)) }),
    ],
    series: [{}, line("baseline"), line("candidate")],
    hooks: { draw: [(plot) => drawMarks(plot, marks, colours)] },
    plugins: [
      hover((index) => {
        const bucket = Math.min(index, (shares?.baseline.length ?? 1) - 1);
        return {
          title: rangeText(edges[bucket], edges[bucket + 1], unit, locale),
          rows: (["baseline", "candidate"] as const).map((side, at) => ({
            side,
            name: versions[at] ?? "",
            value: share(shares?.[side][bucket] ?? 0, locale),
          })),
        };
      }),
    ],
  };
}

function rangeText(
  from: number | undefined,
  until: number | undefined,
  unit: string,
  locale: string,
): string {
  const scale = scaleFor(until ?? 0, unit);
  return `${inScale(from ?? 0, scale, locale)} – ${inScale(until ?? 0, scale, locale)}`;
}

function drawMarks(
  plot: uPlot,
  marks: { baseline: number | null; candidate: number | null },
  colours: Colours,
) {
  const { ctx, bbox } = plot;
  for (const side of ["baseline", "candidate"] as const) {
    const value = marks[side];
    if (value === null) continue;
    const x = Math.round(plot.valToPos(value, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.save();
    ctx.strokeStyle = colours[side];
    ctx.fillStyle = colours[side];
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const tip = 5 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x - tip, bbox.top);
    ctx.lineTo(x + tip, bbox.top);
    ctx.lineTo(x, bbox.top + tip * 1.4);
    ctx.fill();
    ctx.restore();
  }
}

function Buckets({ shares, unit, versions }: { shares: Shares; unit: string; versions: [string, string] }) {
  const { locale, say } = useWords();
  return (
    <details className={styles.numbers}>
      <summary>{say.numbers}</summary>
      <table>
        <thead>
          <tr>
            {[say.duration, ...versions].map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shares.baseline.map((before, bucket) => (
            <tr key={shares.edges[bucket]}>
              <th scope="row">{rangeText(shares.edges[bucket], shares.edges[bucket + 1], unit, locale)}</th>
              <td>{share(before, locale)}</td>
              <td>{share(shares.candidate[bucket] ?? 0, locale)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
