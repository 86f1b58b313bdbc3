import { useLayoutEffect } from "react";
import { useNavigate } from "react-router";
import { SECTIONS } from "./sections";

/** "g" waits this long, in milliseconds, for the key that says where to go. */
const CHORD = 3_000;

declare global {
  interface Window {
    /** What was pressed before the page was there (`public/assets/early.js`); `take` ends the keeping. */
    earlyKeys?: { take: () => KeyboardEvent[] };
  }
}

/** What a key press means: a place to go, a thing to do, the start of a chord, or nothing. */
export type Meaning = { go: string } | { act: "search" | "help" } | { chord: true } | null;

/** Reads one key, given whether "g" was pressed just before. */
export function meaningOf(key: string, afterG: boolean): Meaning {
  if (afterG) {
    const section = SECTIONS.find((candidate) => candidate.key === key);
    return section === undefined ? null : { go: section.path };
  }
  if (key === "/") return { act: "search" };
  if (key === "?") return { act: "help" };
  return key === "g" ? { chord: true } : null;
}

/**
 * Listens on the whole page, except while somebody types into a field. It listens before anything is painted, and
 * what was pressed earlier still counts, up to the palette: what follows that was meant for its box.
 */
export function useShortcuts(showHelp: () => void, showPalette: () => void) {
  const navigate = useNavigate();
  useLayoutEffect(() => {
    let chordUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      if (opensPalette(event)) {
        event.preventDefault();
        showPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const meaning = meaningOf(event.key, event.timeStamp < chordUntil);
      chordUntil = 0;
      if (meaning === null) return;
      if ("chord" in meaning) {
        chordUntil = event.timeStamp + CHORD;
        return;
      }
      event.preventDefault();
      if ("go" in meaning) navigate(meaning.go);
      else if (meaning.act === "help") showHelp();
      else document.querySelector<HTMLInputElement>('main input[type="search"]')?.focus();
    };
    window.addEventListener("keydown", onKey);
    const early = window.earlyKeys?.take() ?? [];
    const last = early.findIndex(opensPalette);
    for (const event of last < 0 ? early : early.slice(0, last + 1)) onKey(event);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate, showHelp, showPalette]);
}

function opensPalette(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && event.key === "k";
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null
  );
}
