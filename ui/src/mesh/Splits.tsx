import { Panel } from "../controls/Panel";
import { useSome } from "../controls/useSome";
import { count } from "../format/units";
import { useWords } from "../words";
import { Told } from "../words/telling";
import styles from "./mesh.module.css";
import type { Backend, Split } from "./model";
import { percent } from "./percent";

/** Each split: what its weights ask for, what was measured, and whether the two agree. */
export function Splits({ splits }: { splits: Split[] }) {
  const { locale, say } = useWords();
  const { some, more } = useSome(splits, 50);
  return (
    <Panel title={say.mesh.splits} lead={say.mesh.splitsLead}>
      {splits.length === 0 ? <p className="soft">{say.mesh.noSplits}</p> : null}
      <ul className={styles.splits} aria-label={say.mesh.splits}>
        {some.map((split) => (
          <li key={split.name}>
            <header>
              <strong>{split.name}</strong>
              <span className={styles.state} data-state={split.state}>
                {say.mesh.states[split.state] ?? split.state}
              </span>
              {split.used ? null : <span className={styles.state}>{say.mesh.notUsed}</span>}
              {split.requests === null ? null : (
                <span className="small soft">{say.mesh.requests(count(split.requests, locale))}</span>
              )}
            </header>
            <p className="small soft">
              <Told text={split.why} parts={split.said} />
            </p>
            <table>
              <thead>
                <tr>
                  <th scope="col">{say.mesh.backend}</th>
                  <th scope="col" className="right">
                    {say.mesh.asked}
                  </th>
                  <th scope="col" className="right">
                    {say.mesh.measured}
                  </th>
                  <th scope="col">{say.mesh.between}</th>
                  <th scope="col" className={styles.barColumn}>
                    <span className="hidden">{say.mesh.asked}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {split.backends.map((backend) => (
                  <BackendRow key={backend.service} of={backend} />
                ))}
              </tbody>
            </table>
          </li>
        ))}
      </ul>
      {more}
    </Panel>
  );
}

function BackendRow({ of }: { of: Backend }) {
  const { locale, say } = useWords();
  const { measured } = of;
  const told = measured?.percent ?? null;
  return (
    <tr data-bad={measured?.honoured === false || undefined}>
      <th scope="row">
        {of.service} {of.known ? null : <em>{say.mesh.unknown}</em>}
      </th>
      <td className="right" data-label={`${say.mesh.asked} `}>
        {percent(of.percent, locale)}
      </td>
      <td className="right">
        {measured?.honoured === false ? <span title={say.mesh.states["not honoured"]}>▲ </span> : null}
        {told === null ? "–" : percent(told, locale)}
      </td>
      <td>
        {measured && measured.low !== null && measured.high !== null
          ? `${percent(measured.low, locale)} … ${percent(measured.high, locale)}`
          : "–"}
      </td>
      <td aria-hidden="true">
        <span className={styles.bar}>
          <i style={{ width: `${told ?? 0}%` }} />
          <b style={{ left: `${of.percent}%` }} />
        </span>
      </td>
    </tr>
  );
}
