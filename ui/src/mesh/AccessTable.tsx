import { Panel } from "../controls/Panel";
import { useSome } from "../controls/useSome";
import { useWords } from "../words";
import styles from "./mesh.module.css";
import { type Access, ruleText } from "./model";

/** Who may call what: every TrafficTarget. */
export function AccessTable({ access }: { access: Access[] }) {
  const { say } = useWords();
  const { some, more } = useSome(access);
  return (
    <Panel title={say.mesh.access} lead={say.mesh.targetsLead}>
      {access.length === 0 ? (
        <p className="soft">{say.mesh.noTargets}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
        <section className={styles.scroll} aria-label={say.mesh.everyTarget} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {[say.mesh.target, say.mesh.mayCall, say.mesh.whom, say.mesh.what].map((text) => (
                  <th key={text} scope="col">
                    {text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {some.map((target) => (
                <tr key={target.name}>
                  <th scope="row">{target.name}</th>
                  <td>{target.from.map(({ name }) => name).join(", ")}</td>
                  <td>
                    {target.to.name}
                    {target.to.services.length > 0 ? ` (${target.to.services.join(", ")})` : ""}
                  </td>
                  <td>
                    {target.rules.map((rule) => (
                      <code key={`${rule.kind} ${rule.name}`} className={styles.rule}>
                        {ruleText(rule)}
                      </code>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {more}
        </section>
      )}
    </Panel>
  );
}
