import type { ReactNode } from "react";
import type { Finding } from "../../api/wire";
import { change } from "../../format/changes";
import { useWords } from "../../words";
import { FindingTitle } from "../FindingTitle";
import { anchorOf } from "../ranking";
import styles from "../release.module.css";

/** One finding among the evidence of its signal. */
export function Item({ finding, children }: { finding: Finding; children: ReactNode }) {
  const { locale, say } = useWords();
  return (
    <article className={styles.item} id={anchorOf(finding)} tabIndex={-1} data-direction={finding.direction}>
      <h3>
        <FindingTitle finding={finding} />
        <span className={styles.delta}>
          {finding.change === null ? say.isNew : change(finding.change, locale)}
          <span className="hidden"> {say.direction[finding.direction]}</span>
        </span>
      </h3>
      {children}
    </article>
  );
}
