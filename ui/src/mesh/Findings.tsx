import { Panel } from "../controls/Panel";
import { useSome } from "../controls/useSome";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import { Told } from "../words/telling";
import styles from "./mesh.module.css";
import type { MeshFinding } from "./model";

/** What is wrong with the resources, or not as they ask. */
export function Findings({ findings }: { findings: MeshFinding[] }) {
  const { say } = useWords();
  const { some, more } = useSome(findings);
  if (findings.length === 0) return null;
  return (
    <Panel title={say.mesh.findings(findings.length)}>
      <ul className={styles.findings}>
        {some.map((one) => (
          <li key={`${one.subject} ${one.field} ${one.message}`}>
            <span className={styles.state} data-level={one.level}>
              {say.mesh.levels[one.level]}
            </span>
            <span>
              <strong>{one.subject}</strong> {one.field ? <code>{one.field}</code> : null}{" "}
              {one.said ? <Told text={one.message} parts={one.said} /> : <Saying text={one.message} />}
            </span>
            {one.place ? <code className="small">{one.place}</code> : null}
          </li>
        ))}
      </ul>
      {more}
    </Panel>
  );
}
