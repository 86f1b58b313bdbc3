import type { Measured } from "../../api/wire";
import { change } from "../../format/changes";
import { useWords } from "../../words";
import { Movement } from "../Movement";
import styles from "../release.module.css";

/** What else moved of the same subject. */
export function Also({ measures }: { measures: Measured[] }) {
  const { locale, say } = useWords();
  if (measures.length === 0) return null;
  return (
    <ul className={styles.also} aria-label={say.also}>
      {measures.map((measured) => (
        <li key={`${measured.measure} ${measured.baseline} ${measured.candidate}`}>
          <Movement of={measured} />{" "}
          <span className="number">
            {measured.change === null ? say.isNew : change(measured.change, locale)}
          </span>
        </li>
      ))}
    </ul>
  );
}
