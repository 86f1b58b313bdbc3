import { amount } from "../format/units";
import { useWords } from "../words";
import styles from "./charts.module.css";
import { type Line, summarise, tellingLabels } from "./lines";

/** A chart's lines in numbers: the same for those who cannot see it. */
export function SeriesNumbers({ lines, unit }: { lines: Line[]; unit: string }) {
  const { locale, say } = useWords();
  const telling = tellingLabels(lines.map((line) => line.series));
  return (
    <details className={styles.numbers}>
      <summary>{say.numbers}</summary>
      <table>
        <thead>
          <tr>
            {[say.version, ...telling, say.least, say.mean, say.most, say.latest].map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ series }) => {
            const numbers = summarise(series);
            return (
              <tr key={JSON.stringify([series.version, series.name, series.labels])}>
                <th scope="row">{series.version}</th>
                {telling.map((name) => (
                  <td key={name}>{series.labels[name] ?? ""}</td>
                ))}
                {(["least", "mean", "most", "last"] as const).map((name) => (
                  <td key={name}>{amount(numbers?.[name] ?? null, unit, locale)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}
