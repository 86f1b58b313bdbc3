import { Fragment } from "react";
import { Link } from "react-router";
import { Away } from "./Away";
import styles from "./controls.module.css";
import { type Block, type Piece, readProse } from "./prose";

/** What somebody wrote, with its paragraphs and lists; never HTML. */
export function Prose({ text }: { text: string }) {
  return <div className={styles.prose}>{readProse(text).map(shownBlock)}</div>;
}

function shownBlock({ kind, lines }: Block, place: number) {
  if (kind === "list") return <ul key={place}>{lines.map((line, at) => shownLine(line, at, "li"))}</ul>;
  return <p key={place}>{lines.map((line, at) => shownLine(line, at, "line"))}</p>;
}

function shownLine(pieces: Piece[], place: number, as: "li" | "line") {
  const shown = pieces.map(shownPiece);
  if (as === "li") return <li key={place}>{shown}</li>;
  return (
    <Fragment key={place}>
      {place > 0 ? "\n" : null}
      {shown}
    </Fragment>
  );
}

function shownPiece({ text, as, to }: Piece, place: number) {
  if (to !== undefined && as === "link") {
    return (
      <Away key={place} to={to}>
        {text}
      </Away>
    );
  }
  if (to !== undefined) {
    return (
      <Link key={place} to={to}>
        {text.replace(/\?.*/, "")}
      </Link>
    );
  }
  if (as === "strong") return <strong key={place}>{text}</strong>;
  return as === "code" ? <code key={place}>{text}</code> : <Fragment key={place}>{text}</Fragment>;
}
