import { useQuery } from "@tanstack/react-query";
import { instant } from "../address/window";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { Quantity } from "../format/Quantity";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import styles from "./explore.module.css";
import { type Moved, promName } from "./model";

/** The metrics that went furthest from where they were just before this time. */
export function MovedPane({ selection }: { selection: Selection }) {
  const { say } = useWords();
  const { selector, bounds } = selection;
  const range = { start: instant(bounds.from), end: instant(bounds.until) };
  const asked = questions.moved(apiPath("/api/correlate", { selector, ...range, limit: "10" }));
  const question = useQuery(asked);
  const { data: facts = {} } = useQuery(questions.metricFacts());
  return (
    <Panel title={say.explore.moved} lead={say.explore.movedLead}>
      <Answer question={question} queryKey={asked.queryKey} what={say.explore.comparing}>
        {(moved) =>
          moved.length === 0 ? (
            <p className="soft">{say.explore.noneMoved}</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">{say.metrics.metric}</th>
                  <th scope="col" className="right">
                    {say.explore.earlier}
                  </th>
                  <th scope="col" className="right">
                    {say.explore.during}
                  </th>
                </tr>
              </thead>
              <tbody>
                {moved.map((one) => (
                  <tr key={`${one.name} ${one.service} ${JSON.stringify(one.labels)}`}>
                    <td>
                      <Name one={one} known={Object.keys(facts)} selection={selection} />
                    </td>
                    <td className="right">
                      <Quantity value={one.before} unit={one.unit} />
                    </td>
                    <td className="right">
                      <Quantity value={one.during} unit={one.unit} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Answer>
    </Panel>
  );
}

function Name({ one, known, selection }: { one: Moved; known: string[]; selection: Selection }) {
  const name = promName(one.name, known);
  const labels = Object.values(one.labels).join(" ");
  return (
    <>
      {name === null ? (
        <code>{one.name}</code>
      ) : (
        <button type="button" className={styles.name} onClick={() => selection.change({ metric: name })}>
          {one.name}
        </button>
      )}
      <span className={styles.where}>
        {one.service} {labels}
      </span>
    </>
  );
}
