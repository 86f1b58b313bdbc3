import { type KeyboardEvent, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useTheme } from "../app/theme";
import { strokeOf } from "../charts/palette";
import { LongList } from "../controls/LongList";
import { amount } from "../format/units";
import type { LogLine } from "../logs/line";
import { useWords } from "../words";
import { type Row, unfolded, type Waterfall } from "./layout";
import { precise, serviceOf } from "./model";
import { SpanDetails } from "./SpanDetails";
import styles from "./traces.module.css";

/** Height of a span, in pixels. */
const ROW = 24;

/** All spans in the order of the calls, each where it was in time; the critical path is marked. */
export function WaterfallView({ fall, lines }: { fall: Waterfall; lines: LogLine[] }) {
  const { say } = useWords();
  const { dark } = useTheme();
  const [search, setSearch] = useSearchParams();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => unfolded(fall.rows, folded), [fall, folded]);
  const colours = useMemo(() => {
    const services = [...new Set(fall.rows.map(({ span }) => serviceOf(span)))];
    return new Map(services.map((service, at) => [service, strokeOf(at, dark).colour]));
  }, [fall, dark]);
  const ofSpan = useMemo(() => Map.groupBy(lines, (line) => line.metadata.span_id ?? ""), [lines]);
  const wanted = search.get("span");
  const chosen = rows.findIndex(({ span }) => span.span_id === wanted);
  const row = chosen < 0 ? null : (rows[chosen] ?? null);
  const choose = (index: number | null) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        const id = index === null ? undefined : rows[index]?.span.span_id;
        if (id === undefined) next.delete("span");
        else next.set("span", id);
        return next;
      },
      { replace: true },
    );
  const fold = (id: string, shut: boolean) => {
    const next = new Set(folded);
    if (shut) next.add(id);
    else next.delete(id);
    setFolded(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (row === null || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
    fold(row.span.span_id, event.key === "ArrowLeft");
    event.preventDefault();
  };
  return (
    <div className={styles.waterfall} data-open={row !== null || undefined}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: two keys more for the list inside */}
      <div onKeyDown={onKeyDown}>
        <Ruler length={fall.length} />
        <LongList
          label={say.traces.waterfall}
          count={rows.length}
          row={ROW}
          chosen={chosen < 0 ? null : chosen}
          onChoose={choose}
          generation={folded}
          render={(index) => (
            <SpanRow
              row={rows[index]}
              fall={fall}
              colour={colours.get(rows[index] ? serviceOf(rows[index].span) : "") ?? ""}
              shut={folded.has(rows[index]?.span.span_id ?? "")}
              lines={ofSpan.get(rows[index]?.span.span_id ?? "") ?? []}
              onFold={fold}
            />
          )}
        />
      </div>
      {row ? (
        <SpanDetails row={row} lines={ofSpan.get(row.span.span_id) ?? []} close={() => choose(null)} />
      ) : null}
    </div>
  );
}

const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

function Ruler({ length }: { length: number }) {
  const { locale } = useWords();
  return (
    <div className={styles.ruler} aria-hidden="true">
      <div>
        {QUARTERS.map((part) => (
          <span key={part} style={{ left: `${part * 100}%` }}>
            {amount(part * length, "ms", locale)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  row: Row | undefined;
  fall: Waterfall;
  colour: string;
  shut: boolean;
  lines: LogLine[];
  onFold: (id: string, shut: boolean) => void;
}

function SpanRow({ row, fall, colour, shut, lines, onFold }: RowProps) {
  const { locale, say } = useWords();
  if (row === undefined) return null;
  const { span, from, until, depth, below } = row;
  const at = (time: number) => `${(time / fall.length) * 100}%`;
  const late = from / fall.length > 0.7;
  return (
    <div className={styles.span} data-error={span.status === "ERROR" || undefined}>
      <div
        className={styles.name}
        title={`${serviceOf(span)} ${span.name}`}
        style={{ paddingLeft: `${Math.min(depth, 24) * 0.7 + 0.3}rem` }}
      >
        <span
          aria-hidden="true"
          className={styles.fold}
          onClick={(event) => {
            if (below === 0) return;
            event.stopPropagation();
            onFold(span.span_id, !shut);
          }}
        >
          {below === 0 ? "" : shut ? "▸" : "▾"}
        </span>
        <i style={{ background: colour }} />
        <span className="soft">{serviceOf(span)}</span> {span.name}
        {span.status === "ERROR" ? <b className={styles.bad}> {say.traces.failed}</b> : null}
        {shut ? <span className="soft"> +{below}</span> : null}
      </div>
      <div className={styles.track}>
        <div
          className={styles.stretch}
          data-critical={span.critical || undefined}
          style={{ left: at(from), width: at(until - from), background: colour }}
        />
        {lines.map((line, index) => (
          <em
            // biome-ignore lint/suspicious/noArrayIndexKey: a line may well be there twice
            key={index}
            style={{ left: at(precise(line.time) - fall.start) }}
            data-level={line.metadata.detected_level}
          />
        ))}
        <span
          className={styles.took}
          style={late ? { right: `${100 - (from / fall.length) * 100}%` } : { left: at(until) }}
        >
          {amount(span.duration_ms, "ms", locale)}
        </span>
      </div>
    </div>
  );
}
