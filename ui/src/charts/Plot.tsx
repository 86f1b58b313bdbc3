import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { coloursOf, useTheme } from "../app/theme";
import styles from "./charts.module.css";

const COLOURS = ["ink", "ink-soft", "line", "panel", "baseline", "candidate", "worse"] as const;
export type Colours = Record<(typeof COLOURS)[number], string>;

interface Props {
  label: string;
  data: uPlot.AlignedData;
  options: (colours: Colours) => Omit<uPlot.Options, "width" | "height">;
  height?: number;
}

/** uPlot in a box: follows the box's width and the colours of the page. The label says what it shows. */
export function Plot({ label, data, options, height = 190 }: Props) {
  const { dark } = useTheme();
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `dark` changes what the colours come to
  useEffect(() => {
    const inside = box.current;
    if (inside === null) return;
    const size = () => ({ width: Math.max(inside.clientWidth, 120), height });
    const plot = new uPlot({ ...options(coloursOf(COLOURS)), ...size() }, data, inside);
    const observer = new ResizeObserver(() => plot.setSize(size()));
    observer.observe(inside);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [data, options, height, dark]);
  return <div ref={box} role="img" aria-label={label} className={styles.plot} style={{ height }} />;
}

/** Room for the longest label of a vertical axis, in pixels. */
function labelRoom(_: uPlot, labels: (string | null)[] | null): number {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label?.length ?? 0));
  return 14 + longest * 6.6;
}

/** A vertical axis in the page's colours. */
export function verticalAxis(colours: Colours, more: uPlot.Axis): uPlot.Axis {
  return axis(colours, { size: labelRoom, ...more });
}

/** An axis in the page's colours; horizontal unless told otherwise. */
export function axis(colours: Colours, more: uPlot.Axis = {}): uPlot.Axis {
  return {
    stroke: colours["ink-soft"],
    font: '11px system-ui, "DejaVu Sans", sans-serif',
    grid: { stroke: colours.line, width: 1 },
    ticks: { stroke: colours.line, width: 1, size: 4 },
    gap: 4,
    size: 30,
    ...more,
  };
}
