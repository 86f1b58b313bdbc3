import { useTheme } from "../app/theme";
import { useWords } from "../words";
import { tones } from "./colour";
import styles from "./flamegraph.module.css";

/** What the colours mean. */
export function Scale() {
  const { say } = useWords();
  const { dark } = useTheme();
  return (
    <div className={styles.scale}>
      <span>▼ {say.costsLess}</span>
      <span className={styles.steps} aria-hidden="true">
        {tones(dark).map((tone) => (
          <i key={tone.fill} style={{ background: tone.fill }} />
        ))}
      </span>
      <span>▲ {say.costsMore}</span>
    </div>
  );
}
