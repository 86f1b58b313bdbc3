import type { Vector } from "../api/signals";
import { useSome } from "../controls/useSome";
import { Quantity } from "../format/Quantity";
import { useWords } from "../words";
import styles from "./metrics.module.css";
import { numberOf } from "./naming";

/** Values at one time, a row a series, the highest first. */
export function InstantTable({ vector, unit }: { vector: Vector; unit: string }) {
  const { say } = useWords();
  const names = [...new Set(vector.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const rows = vector.toSorted((a, b) => (numberOf(b.value[1]) ?? 0) - (numberOf(a.value[1]) ?? 0));
  const { some, more } = useSome(rows);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.scroll} aria-label={say.table} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col" className="right">
              {say.metrics.value}
            </th>
          </tr>
        </thead>
        <tbody>
          {some.map(({ metric, value }) => (
            <tr key={JSON.stringify(metric)}>
              {names.map((name) => (
                <td key={name}>{metric[name] ?? ""}</td>
              ))}
              <td className="right">
                <Quantity value={numberOf(value[1])} unit={unit} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </section>
  );
}
