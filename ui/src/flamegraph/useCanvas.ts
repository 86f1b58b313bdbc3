import { type RefObject, useCallback, useEffect, useRef } from "react";
import type { FlameLayout } from "./layout";
import { paint, type Scene } from "./painting";
import { type FlameView, ROW } from "./viewing";

type Drawn = Omit<Scene, "view" | "top" | "font"> & { layout: FlameLayout; zoomed: number };

/**
 * Keeps a canvas over what its scroller shows, and a screen above and below: scrolling moves it, and it is painted again
 * only when what was painted no longer covers what is seen, or when anything drawn on it changes.
 */
export function useCanvas(scroller: RefObject<HTMLDivElement | null>, drawn: Drawn) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pending = useRef(0);
  const painted = useRef({ first: 0, last: -1 });
  const latest = useRef(drawn);
  latest.current = drawn;

  const view = useCallback((): FlameView => {
    const shown = scroller.current;
    const firstRow = Math.floor((shown?.scrollTop ?? 0) / ROW);
    const rows = Math.ceil((shown?.clientHeight ?? 0) / ROW) + 1;
    return {
      zoomed: latest.current.zoomed,
      width: shown?.clientWidth ?? 0,
      firstRow,
      lastRow: firstRow + rows,
    };
  }, [scroller]);

  const schedule = useCallback(() => {
    cancelAnimationFrame(pending.current);
    pending.current = requestAnimationFrame(() => {
      const context = canvas.current?.getContext("2d");
      const shown = scroller.current;
      if (!context || !shown) return;
      const seen = view();
      const spare = seen.lastRow - seen.firstRow;
      const first = Math.max(0, seen.firstRow - spare);
      const last = Math.min(seen.lastRow + spare, Math.ceil(shown.scrollHeight / ROW));
      painted.current = { first, last };
      const height = (last - first) * ROW;
      sizeTo(context.canvas, shown.clientWidth, height);
      context.canvas.style.top = `${first * ROW}px`;
      context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      const font = `11.5px ${getComputedStyle(shown).fontFamily}`;
      paint(
        context,
        { ...latest.current, view: { ...seen, firstRow: first, lastRow: last }, font, top: first * ROW },
        height,
      );
    });
  }, [scroller, view]);

  const { layout, zoomed, matches, paintOf, ink } = drawn;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn, not what this function is made of
  useEffect(schedule, [schedule, layout, zoomed, matches, paintOf, ink]);
  useEffect(() => {
    const shown = scroller.current;
    if (shown === null) return;
    const size = new ResizeObserver(schedule);
    size.observe(shown);
    const look = () => {
      const { firstRow, lastRow } = view();
      const rows = Math.ceil(shown.scrollHeight / ROW);
      if (firstRow < painted.current.first || Math.min(lastRow, rows) > painted.current.last) schedule();
    };
    shown.addEventListener("scroll", look, { passive: true });
    return () => {
      size.disconnect();
      shown.removeEventListener("scroll", look);
      cancelAnimationFrame(pending.current);
    };
  }, [scroller, schedule, view]);
  return { canvas, view };
}

function sizeTo(canvas: HTMLCanvasElement, shownWidth: number, shownHeight: number) {
  const width = Math.round(shownWidth * devicePixelRatio);
  const height = Math.round(shownHeight * devicePixelRatio);
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${shownWidth}px`;
  canvas.style.height = `${shownHeight}px`;
}
