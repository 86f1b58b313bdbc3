import { type Comparison, SIGNALS } from "../api/wire";
import { Panel } from "../controls/Panel";
import { smallestEffect } from "../format/changes";
import { count } from "../format/units";
import { StateBadge } from "../verdict/VerdictBadge";
import { useWords } from "../words";
import { Told } from "../words/telling";
import styles from "./release.module.css";

/** What the verdict rests on: how much was tested, and what could not have been seen. */
export function Tested({ comparison }: { comparison: Comparison }) {
  const { locale, say } = useWords();
  const noted = SIGNALS.some((name) => comparison.signals[name]?.note);
  const columns = [say.signal, say.result, say.tests, say.found, say.smallest, ...(noted ? [say.note] : [])];
  return (
    <Panel title={say.tested} lead={say.testedLead}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <section className={styles.scroller} aria-label={say.table} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {SIGNALS.map((name) => {
              const signal = comparison.signals[name];
              return (
                <tr key={name}>
                  <th scope="row">{say.signals[name]}</th>
                  <td>
                    <StateBadge of={signal?.state ?? "no_data"} />
                  </td>
                  <td>{count(signal?.tested ?? 0, locale)}</td>
                  <td>{count(signal?.findings ?? 0, locale)}</td>
                  <td>{smallestEffect(signal?.smallest_effect ?? null, locale)}</td>
                  {noted ? <td>{signal?.note ? <Told text={signal.note} /> : null}</td> : null}
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </Panel>
  );
}
