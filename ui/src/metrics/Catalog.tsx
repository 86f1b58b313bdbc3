import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { questions } from "../api/questions";
import type { MetricFacts } from "../api/signals";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { SearchField } from "../controls/SearchField";
import { useSome } from "../controls/useSome";
import { unitName } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { firstQuery } from "./asking";
import styles from "./metrics.module.css";

interface Props {
  selection: Selection;
  onChoose: (query: string) => void;
}

/** All metrics there are, with what they say of themselves; a click asks the first question to one. */
export function Catalog({ selection, onChoose }: Props) {
  const { say } = useWords();
  const [find, setFind] = useState("");
  const asked = questions.metricFacts();
  const question = useQuery(asked);
  const field = <SearchField label={say.metrics.find} value={find} onChange={setFind} />;
  return (
    <Panel title={say.metrics.catalog} lead={say.metrics.catalogLead} aside={field}>
      <Answer question={question} queryKey={asked.queryKey} what={say.metrics.asking}>
        {(facts) => {
          const names = Object.keys(facts)
            .filter((name) => `${name} ${facts[name]?.help}`.toLowerCase().includes(find.toLowerCase()))
            .sort();
          return names.length === 0 ? (
            <p className={styles.none}>{say.metrics.noMetric}</p>
          ) : (
            <Listed key={find} names={names} facts={facts} selection={selection} onChoose={onChoose} />
          );
        }}
      </Answer>
    </Panel>
  );
}

interface ListedProps extends Props {
  names: string[];
  facts: Record<string, MetricFacts>;
}

function Listed({ names, facts, selection, onChoose }: ListedProps) {
  const { say } = useWords();
  const { some, more } = useSome(names);
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">{say.metrics.metric}</th>
            <th scope="col">{say.metrics.type}</th>
            <th scope="col">{say.metrics.unit}</th>
            <th scope="col" className={styles.help}>
              {say.metrics.help}
            </th>
          </tr>
        </thead>
        <tbody>
          {some.map((name) => (
            <tr key={name}>
              <td>
                <button
                  type="button"
                  className={styles.metric}
                  onClick={() =>
                    onChoose(firstQuery(name, facts[name]?.type ?? "", selection.selector, selection.bounds))
                  }
                >
                  {name}
                </button>
              </td>
              <td>{facts[name]?.type}</td>
              <td>{unitName(facts[name]?.unit ?? "")}</td>
              <td className={styles.help}>{facts[name]?.help}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}
