import type { ReactNode } from "react";

/** A text with what was searched for marked. Long lines are cut: nobody reads a megabyte in a row. */
export function Highlight({ text, find, most = 2_000 }: { text: string; find: string; most?: number }) {
  const shown = text.length > most ? `${text.slice(0, most)}…` : text;
  if (find === "" || !shown.includes(find)) return shown;
  const parts = shown.split(find);
  const marked: ReactNode[] = [];
  parts.forEach((part, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name
    if (index > 0) marked.push(<mark key={index}>{find}</mark>);
    marked.push(part);
  });
  return marked;
}
