import { useEffect } from "react";
import { useNavigate } from "react-router";
import { SECTIONS } from "./sections";

/** "g" waits this long, in milliseconds, for the key that says where to go. */
const CHORD = 1_200;

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

/** Listens on the whole page, except while somebody types into a field. */
export function useShortcuts(showHelp: () => void, showPalette: () => void) {
  const navigate = useNavigate();
  useEffect(() => {
    let chordUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "k") {
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
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate, showHelp, showPalette]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null
  );
}
