import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { coloursOf, useTheme } from "../app/theme";
import { useWords } from "../words";
import { paintDifference, paintModules } from "./colour";
import { FrameFacts, frameSentence } from "./FrameFacts";
import styles from "./flamegraph.module.css";
import type { FlameLayout } from "./layout";
import type { Matches } from "./searching";
import { useCanvas } from "./useCanvas";
import { boxOf, frameAt, type Move, moveFrom, ROW, rowsOf } from "./viewing";

interface Props {
  layout: FlameLayout;
  unit: string;
  label: string;
  zoomed: number;
  matches: Matches | null;
  onZoom: (index: number) => void;
  /** One profile instead of the difference of two: what it costs is on the candidate's side. */
  single?: boolean;
}

const MOVES: readonly string[] = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home"] satisfies Move[];

/** Where the pointer or the keyboard is: a frame, and where its facts are shown, in pixels. */
interface Mark {
  index: number;
  left: number;
  top: number;
  byKey: boolean;
}

/** The difference of two profiles, root on top; drawn on a canvas of the size of the window on it. */
export function FlameGraph({ layout, unit, label, zoomed, matches, onZoom, single = false }: Props) {
  const { locale, say } = useWords();
  const { dark } = useTheme();
  const [mark, setMark] = useState<Mark | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const colours = useMemo(
    () => ({ paintOf: single ? paintModules(dark) : paintDifference(dark), ...coloursOf(["ink"]) }),
    [dark, single],
  );
  const rows = useMemo(() => rowsOf(layout, zoomed), [layout, zoomed]);
  const { canvas, view } = useCanvas(scroller, {
    layout,
    zoomed,
    matches,
    ...colours,
  });

  const point = (event: { clientX: number; clientY: number }): Mark | null => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return null;
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    const row = Math.floor((top + (scroller.current?.scrollTop ?? 0)) / ROW);
    const index = frameAt(layout, view(), left, row);
    return index === null ? null : { index, left, top, byKey: false };
  };
  const markByKey = (index: number) => {
    const row = layout.depth[index] ?? 0;
    const shown = scroller.current;
    if (shown)
      shown.scrollTop = Math.min(Math.max(shown.scrollTop, (row + 2) * ROW - shown.clientHeight), row * ROW);
    const scale = view().width / (layout.weight[zoomed] || 1);
    const left = Math.max(0, ((layout.start[index] ?? 0) - (layout.start[zoomed] ?? 0)) * scale);
    setMark({ index, left, top: row * ROW - (shown?.scrollTop ?? 0), byKey: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = mark?.index ?? zoomed;
    if (MOVES.includes(event.key)) markByKey(moveFrom(layout, at, event.key as Move));
    else if (event.key === "Enter" || event.key === " ") onZoom(at);
    else if (event.key === "Escape") onZoom(Math.max(0, layout.parent[zoomed] ?? 0));
    else return;
    event.preventDefault();
  };
  const marked = mark === null ? undefined : layout.frames[mark.index];
  const root = layout.frames[0];
  return (
    <div className={styles.graph}>
      <div
        ref={scroller}
        role="application"
        aria-label={`${label}. ${say.flameHelp}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the keyboard
        tabIndex={0}
        className={styles.scroller}
        style={{ height: Math.min(rows * ROW + 1, 26 * ROW) }}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => setMark(point(event))}
        onPointerLeave={() => setMark(null)}
        onBlur={() => setMark(null)}
        onClick={(event) => {
          const clicked = point(event);
          if (clicked !== null) onZoom(clicked.index);
        }}
      >
        <canvas ref={canvas} className={styles.canvas} />
        {mark ? <i className={styles.mark} style={boxOf(layout, zoomed, mark.index, view().width)} /> : null}
        <div style={{ height: rows * ROW }} />
      </div>
      {mark && marked && root ? (
        <FrameFacts
          single={single}
          frame={marked}
          root={root}
          unit={unit}
          left={mark.left}
          top={mark.top}
          width={view().width}
        />
      ) : null}
      <p className="hidden" role="status">
        {mark?.byKey && marked && root ? frameSentence(marked, root, unit, locale, say, single) : null}
      </p>
    </div>
  );
}
