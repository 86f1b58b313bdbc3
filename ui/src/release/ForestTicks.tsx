import { change } from "../format/changes";
import { useWords } from "../words";
import { type ForestAxis, forestTicks, placeOn } from "./forest";
import styles from "./release.module.css";

/** The labels of the axis that the findings' intervals share. */
export function ForestTicks({ axis }: { axis: ForestAxis }) {
  const { locale, say } = useWords();
  return (
    <div className={styles.ticks} aria-hidden="true">
      {forestTicks(axis).map((tick) => (
        <span key={tick} style={{ left: `${placeOn(axis, tick) * 100}%` }}>
          {tick === 0 ? say.same : change(tick, locale)}
        </span>
      ))}
    </div>
  );
}
