import { useMemo } from "react";
import type uPlot from "uplot";
import type { Comparison, SeriesAnswer } from "../api/wire";
import { inScale, scaleFor } from "../format/units";
import { useWords } from "../words";
import { clock, TIME_STEPS } from "./clock";
import { hover } from "./hover";
import { type Overlay, overlay, tellingLabels } from "./lines";
import { axis, type Colours, Plot, verticalAxis } from "./Plot";
import { SeriesNumbers } from "./SeriesNumbers";
import { roomFor, roundSteps } from "./scales";

interface Props {
  answer: SeriesAnswer;
  comparison: Comparison;
  label: string;
}

/** One metric of both versions, overlaid: by the clock when they ran together, else by time since the start. */
export default function SeriesChart({ answer, comparison, label }: Props) {
  const { locale, say } = useWords();
  const drawn = useMemo(() => overlay(answer, comparison), [answer, comparison]);
  const data = useMemo((): uPlot.AlignedData => [drawn.xs, ...drawn.ys], [drawn]);
  const options = useMemo(
    () => (colours: Colours) => optionsFor(drawn, answer.unit, locale, colours),
    [drawn, answer.unit, locale],
  );
  return (
    <>
      <Plot label={label} data={data} options={options} />
      {drawn.elapsed ? <p className="soft small">{say.elapsed}</p> : null}
      {drawn.left > 0 ? <p className="soft small">{say.notDrawn(drawn.left)}</p> : null}
      <SeriesNumbers lines={drawn.lines} unit={answer.unit} />
    </>
  );
}

function optionsFor(drawn: Overlay, unit: string, locale: string, colours: Colours) {
  const most = Math.max(0, ...drawn.ys.flat().map((value) => Math.abs(value ?? 0)));
  const scale = scaleFor(most, unit);
  const time = timeText(drawn, locale);
  const telling = tellingLabels(drawn.lines.map((line) => line.series));
  const nameOf = (index: number) => {
    const series = drawn.lines[index]?.series;
    return [series?.version, ...telling.map((name) => series?.labels[name])].filter(Boolean).join(" · ");
  };
  return {
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: (_: uPlot, low: number, high: number) => roomFor(low, high) } },
    axes: [
      axis(colours, { values: (_, ticks) => ticks.map(time), space: 70, incrs: TIME_STEPS }),
      verticalAxis(colours, {
        values: (_, ticks) => ticks.map((tick) => inScale(tick, scale, locale)),
        incrs: roundSteps(scale.factor),
      }),
    ],
    series: [
      {},
      ...drawn.lines.map((line) => ({
        stroke: colours[line.side],
        width: line.side === "candidate" ? 2 : 1.5,
        dash: line.side === "candidate" ? [] : [5, 3],
        points: { show: drawn.xs.length < 3 },
      })),
    ],
    plugins: [
      hover((index) => ({
        title: time(drawn.xs[index] ?? 0),
        rows: drawn.lines.flatMap((line, at) => {
          const value = drawn.ys[at]?.[index] ?? null;
          if (value === null) return [];
          return [{ side: line.side, name: nameOf(at), value: inScale(value, scale, locale) }];
        }),
      })),
    ],
  } satisfies Omit<uPlot.Options, "width" | "height">;
}

function timeText(drawn: Overlay, locale: string): (seconds: number) => string {
  const span = (drawn.xs.at(-1) ?? 0) - (drawn.xs[0] ?? 0);
  if (drawn.elapsed) return (seconds) => inScale(seconds, scaleFor(Math.max(span, 1), "s"), locale);
  return clock(span, locale);
}
