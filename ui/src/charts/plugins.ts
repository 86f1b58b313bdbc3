import type uPlot from "uplot";
import type { Bounds } from "../address/window";
import styles from "./charts.module.css";
import type { Colours } from "./Plot";

/** One measured point with a trace: an exemplar. */
export interface Dot {
  /** Seconds since the epoch. */
  at: number;
  value: number;
  trace: string;
  name: string;
  /** It failed. */
  loud?: boolean;
}

/** Tells which stretch was marked with the pointer, and takes the mark away. */
export function brush(marked: (bounds: Bounds) => void): uPlot.Plugin {
  return {
    hooks: {
      setSelect: (plot) => {
        const { left, width } = plot.select;
        if (width < 4) return;
        const from = plot.posToVal(left, "x") * 1000;
        const until = plot.posToVal(left + width, "x") * 1000;
        plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        marked({ from, until });
      },
    },
  };
}

/** Bars on top of each other; the rows come stacked, the last is the highest. */
export function bars(colours: string[]): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx: context } = plot;
        const [xs, ...rows] = plot.data;
        if (xs === undefined || xs.length === 0) return;
        const width = Math.max(1, narrowest(xs, plot) - 1);
        const floor = plot.valToPos(0, "y", true);
        context.save();
        context.beginPath();
        context.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
        context.clip();
        for (let row = rows.length - 1; row >= 0; row -= 1) {
          context.fillStyle = colours[row] ?? "";
          for (const [index, x] of xs.entries()) {
            const value = rows[row]?.[index];
            if (!value || value === (rows[row - 1]?.[index] ?? 0)) continue;
            const top = plot.valToPos(value, "y", true);
            context.fillRect(plot.valToPos(x, "x", true), top, width, floor - top);
          }
        }
        context.restore();
      },
    },
  };
}

/** The distance of two bars in device pixels; they begin where their time begins. */
function narrowest(xs: ArrayLike<number>, plot: uPlot): number {
  let least = Number.POSITIVE_INFINITY;
  for (let index = 1; index < xs.length; index += 1) {
    const [before = 0, here = 0] = [xs[index - 1], xs[index]];
    least = Math.min(least, plot.valToPos(here, "x", true) - plot.valToPos(before, "x", true));
  }
  return Number.isFinite(least) ? least : 12;
}

/** Points that can be opened. */
export function dots(marks: Dot[], colours: Colours, open: (dot: Dot) => void): uPlot.Plugin {
  return {
    hooks: {
      init: (plot) => {
        plot.over.addEventListener("click", (event) => {
          const dot = nearest(plot, marks, event.offsetX, event.offsetY);
          if (dot !== null) open(dot);
        });
        plot.over.addEventListener("mousemove", (event) => {
          const dot = nearest(plot, marks, event.offsetX, event.offsetY);
          plot.over.classList.toggle(styles.pointing ?? "pointing", dot !== null);
        });
      },
      draw: (plot) => {
        const { ctx: context } = plot;
        const size = 3 * devicePixelRatio;
        context.save();
        context.fillStyle = colours.panel;
        context.strokeStyle = colours["ink-soft"];
        context.lineWidth = 1.25 * devicePixelRatio;
        for (const { at, value, loud } of marks) {
          context.strokeStyle = loud ? colours.worse : colours["ink-soft"];
          context.fillStyle = loud ? colours.worse : colours.panel;
          const [x, y] = [plot.valToPos(at, "x", true), plot.valToPos(value, "y", true)];
          context.beginPath();
          context.moveTo(x, y - size);
          context.lineTo(x + size, y);
          context.lineTo(x, y + size);
          context.lineTo(x - size, y);
          context.closePath();
          context.fill();
          context.stroke();
        }
        context.restore();
      },
    },
  };
}

/** How far from a point a click may be, in pixels. */
const REACH = 9;

function nearest(plot: uPlot, marks: Dot[], x: number, y: number): Dot | null {
  let [best, distance]: [Dot | null, number] = [null, REACH];
  for (const dot of marks) {
    const away = Math.hypot(plot.valToPos(dot.at, "x") - x, plot.valToPos(dot.value, "y") - y);
    if (away < distance) [best, distance] = [dot, away];
  }
  return best;
}
