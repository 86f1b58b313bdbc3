import { type ReactNode, useState } from "react";
import { useLocation } from "react-router";
import type { Finding } from "../../api/wire";
import { Button } from "../../controls/Button";
import { useWords } from "../../words";
import { anchorOf } from "../ranking";
import styles from "../release.module.css";

/** So many findings of a signal are drawn at first, each with its own question to the server. */
const FIRST = 4;

/** The first few, the one that the address names, and the rest when asked for. */
export function Several({
  findings,
  children,
}: {
  findings: Finding[];
  children: (one: Finding) => ReactNode;
}) {
  const { say } = useWords();
  const { hash } = useLocation();
  const [all, setAll] = useState(false);
  const shown = findings.filter((finding, at) => all || at < FIRST || `#${anchorOf(finding)}` === hash);
  const hidden = findings.length - shown.length;
  return (
    <>
      <div className={styles.items}>{shown.map(children)}</div>
      {hidden > 0 ? (
        <Button quiet onClick={() => setAll(true)}>
          {say.more(hidden)}
        </Button>
      ) : null}
    </>
  );
}
