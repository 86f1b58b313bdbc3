import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import { Panel } from "../controls/Panel";
import { share } from "../format/changes";
import { amount } from "../format/units";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./release.module.css";

/** The service's objectives, and how fast their budgets are used up. */
export function Objectives({ service }: { service: string }) {
  const { locale, say } = useWords();
  const { data = [] } = useQuery(questions.slos(service));
  if (data.length === 0) return null;
  const rate = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
  return (
    <Panel title={say.around.objectives} lead={say.around.objectivesLead}>
      {data.map((slo) => (
        <section key={slo.name} aria-label={slo.name} className={styles.objective}>
          <h3>
            {slo.name} <Saying text={slo.words} />{" "}
            {slo.alert ? <strong data-alert={slo.alert}>{say.around.alerts[slo.alert]}</strong> : null}
          </h3>
          <table>
            <thead>
              <tr>
                <th scope="col">{say.around.over}</th>
                <th scope="col" className="right">
                  {say.around.bad}
                </th>
                <th scope="col" className="right">
                  {say.around.burn}
                </th>
              </tr>
            </thead>
            <tbody>
              {slo.burn.map((one) => (
                <tr key={one.window_seconds}>
                  <th scope="row">{amount(one.window_seconds, "s", locale)}</th>
                  <td className="right">{one.bad === null ? "–" : share(one.bad, locale)}</td>
                  <td className="right">{one.burn_rate === null ? "–" : `×${rate.format(one.burn_rate)}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </Panel>
  );
}
