import { type RefObject, useCallback, useEffect, useRef } from "react";
import type { FlameLayout } from "./layout";
import { paint, ROW, type Scene } from "./painting";
import type { FlameView } from "./viewing";

type Drawn = Omit<Scene, "view" | "scrollTop" | "font"> & { layout: FlameLayout; zoomed: number };

/** Keeps a canvas as large as what its scroller shows, and paints it again, once a frame, when anything changes. */
export function useCanvas(scroller: RefObject<HTMLDivElement | null>, drawn: Drawn) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pending = useRef(0);
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
      sizeTo(shown, context.canvas);
      context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      const font = `11.5px ${getComputedStyle(shown).fontFamily}`;
      paint(
        context,
        { ...latest.current, view: view(), font, scrollTop: shown.scrollTop },
        shown.clientHeight,
      );
    });
  }, [scroller, view]);

  useEffect(schedule);
  useEffect(() => {
    const shown = scroller.current;
    if (shown === null) return;
    const size = new ResizeObserver(schedule);
    size.observe(shown);
    shown.addEventListener("scroll", schedule, { passive: true });
    return () => {
      size.disconnect();
      shown.removeEventListener("scroll", schedule);
      cancelAnimationFrame(pending.current);
    };
  }, [scroller, schedule]);
  return { canvas, view };
}

function sizeTo(shown: HTMLElement, canvas: HTMLCanvasElement) {
  const width = Math.round(shown.clientWidth * devicePixelRatio);
  const height = Math.round(shown.clientHeight * devicePixelRatio);
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${shown.clientWidth}px`;
  canvas.style.height = `${shown.clientHeight}px`;
}
