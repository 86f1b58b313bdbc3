import { useIsFetching } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { between, boundsOf, DISTANCES, lengthOf, type Window, wider } from "../address/window";
import { Button } from "../controls/Button";
import { parseMoment } from "../format/clocktimes";
import { moment, utc } from "../format/instants";
import { useWords } from "../words";
import styles from "./selection.module.css";
import type { Selection } from "./useSelection";

/** When: distances back from now, or two points; refresh, and twice as long. */
export function TimeControl({ selection }: { selection: Selection }) {
  const { locale, say } = useWords();
  const { window, bounds, setWindow, zoomTo, refresh } = selection;
  const dialog = useRef<HTMLDialogElement>(null);
  const asking = useIsFetching() > 0;
  const now = Date.now();
  const text =
    window.since === null
      ? `${moment(bounds.from, now, locale)} – ${moment(bounds.until, now, locale)}`
      : say.selection.last(distance(window.since, locale));
  const known: readonly string[] = DISTANCES;
  return (
    // biome-ignore lint/a11y/useSemanticElements: this is a row of a toolbar
    <div className={styles.time} role="group" aria-label={say.window}>
      <select
        aria-label={say.selection.range}
        className={styles.pick}
        title={`${utc(bounds.from)} – ${utc(bounds.until)}`}
        value={window.since ?? "fixed"}
        onChange={(event) => {
          if (event.target.value === "choose") dialog.current?.showModal();
          else if (event.target.value !== "fixed")
            setWindow({ since: event.target.value, start: null, end: null });
        }}
      >
        {window.since === null || !known.includes(window.since) ? (
          <option value={window.since ?? "fixed"}>{text}</option>
        ) : null}
        {DISTANCES.map((value) => (
          <option key={value} value={value}>
            {say.selection.last(distance(value, locale))}
          </option>
        ))}
        <option value="choose">{say.selection.choose}</option>
      </select>
      <Button
        onClick={() => zoomTo(wider(bounds, now))}
        aria-label={say.selection.wider}
        title={say.selection.wider}
      >
        −
      </Button>
      <Button
        onClick={refresh}
        aria-label={say.selection.refresh}
        title={say.selection.refresh}
        aria-busy={asking}
      >
        ↻
      </Button>
      <dialog ref={dialog} className={styles.dialog} aria-label={say.selection.choose}>
        <Points
          key={`${bounds.from} ${bounds.until}`}
          window={window}
          take={(next) => {
            setWindow(next);
            dialog.current?.close();
          }}
          close={() => dialog.current?.close()}
        />
      </dialog>
    </div>
  );
}

function Points({
  window,
  take,
  close,
}: {
  window: Window;
  take: (next: Window) => void;
  close: () => void;
}) {
  const { locale, say } = useWords();
  const help = useId();
  const bounds = boundsOf(window, Date.now());
  const [from, setFrom] = useState(local(bounds.from));
  const [until, setUntil] = useState(local(bounds.until));
  const now = Date.now();
  const [start, end] = [parseMoment(from, now), parseMoment(until, now)];
  const wrong = start === null || end === null || start >= end;
  return (
    <form
      method="dialog"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) take(between({ from: start, until: end }));
      }}
    >
      <label>
        {say.selection.from}
        <input
          value={from}
          aria-describedby={help}
          aria-invalid={start === null}
          onChange={(event) => setFrom(event.target.value)}
        />
      </label>
      <label>
        {say.selection.until}
        <input
          value={until}
          aria-describedby={help}
          aria-invalid={end === null}
          onChange={(event) => setUntil(event.target.value)}
        />
      </label>
      <p id={help} className={styles.hint}>
        {start !== null && end !== null && !wrong
          ? `${moment(start, now, locale)} – ${moment(end, now, locale)}`
          : say.selection.writeTimes}
      </p>
      {start === null || end === null ? (
        <p role="alert">{say.selection.noTime(start === null ? from : until)}</p>
      ) : wrong ? (
        <p role="alert">{say.selection.backwards}</p>
      ) : null}
      <p className={styles.buttons}>
        <Button type="submit" disabled={wrong}>
          {say.selection.take}
        </Button>
        <Button onClick={close}>{say.close}</Button>
      </p>
    </form>
  );
}

/** The person's own time without a zone, as they would write it. */
function local(at: number): string {
  const shifted = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19).replace("T", " ");
}

const UNITS = { s: "second", m: "minute", h: "hour", d: "day", w: "week" } as const;

/** "15 minutes" in the page's language. */
export function distance(text: string, locale: string): string {
  const unit = UNITS[text.slice(-1) as keyof typeof UNITS];
  if (lengthOf(text) === null || unit === undefined) return text;
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(
    Number.parseInt(text, 10),
  );
}
