import { summarise } from "../charts/lines";
import { useSome } from "../controls/useSome";
import { Quantity } from "../format/Quantity";
import { useWords } from "../words";
import styles from "./metrics.module.css";

interface Props {
  lines: { name: string; points: [number, number | null][] }[];
  unit: string;
}

/** A chart's lines in numbers: the same for those who cannot see it. */
export function RangeNumbers({ lines, unit }: Props) {
  const { say } = useWords();
  const columns = ["least", "mean", "most", "last"] as const;
  const { some, more } = useSome(lines);
  const heads = { least: say.least, mean: say.mean, most: say.most, last: say.latest };
  return (
    <details className={styles.numbers}>
      <summary>{say.numbers}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{say.metrics.series}</th>
            {columns.map((column) => (
              <th key={column} scope="col" className="right">
                {heads[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {some.map(({ name, points }, index) => {
            const numbers = summarise({ points });
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines may share a name
              <tr key={`${index} ${name}`}>
                <th scope="row">{name}</th>
                {columns.map((column) => (
                  <td key={column} className="right">
                    <Quantity value={numbers?.[column] ?? null} unit={unit} />
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {more}
    </details>
  );
}
