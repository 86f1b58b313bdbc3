import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { amount } from "../format/units";
import { useWords } from "../words";
import { compareCosts, layTrace, type OperationCost, type Row } from "./layout";
import styles from "./traces.module.css";

interface Props {
  rows: Row[];
  length: number;
  other: string;
}

/** Two traces by operation: what each spent where by itself, the greatest difference first. */
export function TraceComparison({ rows, length, other }: Props) {
  const { locale, say } = useWords();
  const asked = questions.trace(other);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.traces.searching}>
      {(trace) => {
        const beside = layTrace(trace.spans);
        return (
          <Panel title={say.traces.comparison} lead={say.traces.comparisonLead}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
            <section className={styles.scroll} aria-label={say.table} tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{say.traces.operation}</th>
                    <th scope="col" className="right">
                      {say.traces.thisOne} ({amount(length, "ms", locale)})
                    </th>
                    <th scope="col" className="right">
                      <Link to={`/explore/traces/${other}`}>{say.traces.otherOne}</Link> (
                      {amount(beside.length, "ms", locale)})
                    </th>
                    <th scope="col" className="right">
                      {say.difference}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {compareCosts(rows, beside.rows).map((one) => (
                    <tr key={one.key}>
                      <th scope="row">
                        <span className="soft">{one.service}</span> {one.name}{" "}
                        <span className="soft">{one.kind.toLowerCase()}</span>
                      </th>
                      <Cost cost={one.left} />
                      <Cost cost={one.right} />
                      <td className="right" data-more={one.difference > 0}>
                        {one.difference > 0 ? "+" : ""}
                        {amount(one.difference, "ms", locale)}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          </Panel>
        );
      }}
    </Answer>
  );
}

function Cost({ cost }: { cost: OperationCost | undefined }) {
  const { locale } = useWords();
  if (cost === undefined) return <td className="right">–</td>;
  return (
    <td className="right">
      {amount(cost.own, "ms", locale)}
      {cost.calls > 1 ? <span className="soft"> ×{cost.calls}</span> : null}
    </td>
  );
}
