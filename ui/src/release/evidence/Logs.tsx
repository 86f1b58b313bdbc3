import type { Comparison } from "../../api/wire";
import { Panel } from "../../controls/Panel";
import { useWords } from "../../words";
import { Movement } from "../Movement";
import { ofSignal } from "../ranking";
import styles from "../release.module.css";
import { Examples } from "./Examples";
import { Item } from "./Item";
import { Nothing } from "./Nothing";
import { Several } from "./Several";

/** The log patterns that are new or more frequent, with lines as they came. */
export function Logs({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  const findings = ofSignal(comparison, "logs");
  return (
    <Panel title={say.newPatterns} id="logs">
      {findings.length === 0 ? (
        <Nothing comparison={comparison} signal="logs" fine={say.noNewPatterns} />
      ) : (
        <Several findings={findings}>
          {(finding) => (
            <Item key={finding.rank} finding={finding}>
              <code className={styles.pattern}>{finding.subject}</code>
              <p className="soft small">
                <Movement of={finding} />
              </p>
              <Examples title={say.exampleLines} examples={finding.examples} />
            </Item>
          )}
        </Several>
      )}
    </Panel>
  );
}
