import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import styles from "./controls.module.css";
import { inSight, scrollTo } from "./windowing";

interface Props {
  label: string;
  count: number;
  /** The height of each row, in pixels. */
  row: number;
  render: (index: number) => ReactNode;
  chosen: number | null;
  onChoose: (index: number | null) => void;
  /** Changes when the same index means another thing. */
  generation: unknown;
  height?: string;
  /** Whether the end is kept in sight as rows are added; and what happens when somebody scrolls away from it. */
  follow?: boolean;
  onLookElsewhere?: () => void;
}

/** A list of any length, of which only the rows in sight exist. Arrow keys move, Escape lets go. */
export function LongList({
  label,
  count,
  row,
  render,
  chosen,
  onChoose,
  generation,
  height = "32rem",
  follow = false,
  onLookElsewhere,
}: Props) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [scrolled, setScrolled] = useState({ top: 0, shown: 600 });
  useLayoutEffect(() => {
    const inside = box.current;
    if (inside === null) return;
    const look = () => setScrolled({ top: inside.scrollTop, shown: inside.clientHeight });
    const size = new ResizeObserver(look);
    size.observe(inside);
    inside.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      size.disconnect();
      inside.removeEventListener("scroll", look);
    };
  }, []);
  useEffect(() => {
    const inside = box.current;
    if (inside === null || chosen === null) return;
    const to = scrollTo(chosen, count, row, inside.scrollTop, inside.clientHeight);
    if (to !== null) inside.scrollTop = to;
  }, [chosen, count, row]);
  useLayoutEffect(() => {
    const inside = box.current;
    if (follow && inside !== null && count > 0) inside.scrollTop = inside.scrollHeight;
  }, [follow, count]);
  const sight = inSight(count, row, scrolled.top, scrolled.shown);
  const page = Math.max(1, Math.floor(scrolled.shown / row) - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    const move = movesOf(page, count)[event.key];
    if (event.key === "Escape" && chosen !== null) onChoose(null);
    else if (move !== undefined && count > 0) onChoose(Math.min(count - 1, Math.max(0, move(chosen ?? -1))));
    else return;
    event.preventDefault();
  };
  const rows = [];
  // A row that comes into sight takes the place of one that went: elements are changed rather than made.
  const places = Math.max(1, sight.last - sight.first);
  for (let index = sight.first; index < sight.last; index += 1) {
    rows.push(
      <Row
        key={index % places}
        id={`${id}${index}`}
        index={index}
        count={count}
        height={row}
        chosen={index === chosen}
        render={render}
        onChoose={onChoose}
        generation={generation}
      />,
    );
  }
  return (
    <div
      ref={box}
      role="listbox"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={chosen === null ? undefined : `${id}${chosen}`}
      className={styles.long}
      style={{ maxHeight: height }}
      onKeyDown={onKeyDown}
      onWheel={(event) => event.deltaY < 0 && onLookElsewhere?.()}
      onPointerDown={onLookElsewhere}
    >
      <div style={{ height: sight.height }} role="presentation">
        <div style={{ transform: `translateY(${sight.top}px)` }} role="presentation">
          {rows}
        </div>
      </div>
    </div>
  );
}

function movesOf(page: number, count: number): Record<string, (at: number) => number> {
  return {
    ArrowDown: (at) => at + 1,
    ArrowUp: (at) => at - 1,
    PageDown: (at) => at + page,
    PageUp: (at) => at - page,
    Home: () => 0,
    End: () => count - 1,
  };
}

interface RowProps {
  id: string;
  index: number;
  count: number;
  height: number;
  chosen: boolean;
  render: (index: number) => ReactNode;
  onChoose: (index: number | null) => void;
  generation: unknown;
}

const Row = memo(function Row({ id, index, count, height, chosen, render, onChoose }: RowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      aria-posinset={index + 1}
      aria-setsize={count}
      style={{ height }}
      onClick={() => onChoose(chosen ? null : index)}
    >
      {render(index)}
    </div>
  );
});
