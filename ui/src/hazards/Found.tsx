import { useSome } from "../controls/useSome";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import { Fix } from "./Fix";
import styles from "./hazards.module.css";
import { byRule, type Cause, type HazardFinding, type HazardRule, type Severity } from "./model";
import { RuleMessage } from "./RuleMessage";
import { useRuleWords } from "./spoken";

/** Findings by cause: the rule, what to do, and every object that it is about. */
export function Found({ findings, rules }: { findings: HazardFinding[]; rules: HazardRule[] }) {
  const { say } = useWords();
  const { some, more } = useSome(byRule(findings, rules), 50);
  return (
    <>
      <ul className={styles.causes} aria-label={say.hazards.found}>
        {some.map((cause) => (
          <li key={cause.id}>
            <OneCause cause={cause} />
          </li>
        ))}
      </ul>
      {more}
    </>
  );
}

function OneCause({ cause }: { cause: Cause }) {
  const { say } = useWords();
  const now = Date.now();
  const { some, more } = useSome(cause.findings, 20);
  const told = useRuleWords()(cause.id, {
    title: cause.rule?.title ?? cause.findings[0]?.title ?? cause.id,
    advice: cause.rule?.advice ?? "",
  });
  return (
    <>
      <h3>
        <SeverityMark of={cause.severity} />
        <span lang={told.lang}>{told.title}</span> <code>{cause.id}</code>
      </h3>
      {told.advice ? <p lang={told.lang}>{told.advice}</p> : null}
      <table>
        <thead>
          <tr>
            <th scope="col">{say.hazards.subject}</th>
            <th scope="col">{say.hazards.state}</th>
            <th scope="col">{say.hazards.says}</th>
            <th scope="col">{say.hazards.firstSeen}</th>
          </tr>
        </thead>
        <tbody>
          {some.map((finding) => (
            <tr key={`${finding.subject} ${finding.message}`}>
              <td>{finding.subject}</td>
              <td>{say.hazards.states[finding.state] ?? finding.state}</td>
              <td>
                <RuleMessage of={finding} />
                {finding.evidence.length > 0 ? (
                  <ul className={styles.evidence}>
                    {finding.evidence.map((line) => (
                      <li key={line}>
                        <code>
                          <Saying text={line} />
                        </code>
                      </li>
                    ))}
                  </ul>
                ) : null}
                {finding.fixable ? <Fix finding={finding} /> : null}
              </td>
              <td>
                <Instant at={finding.first_seen} now={now} relative />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}

/** How bad, in a word and not by colour alone. */
export function SeverityMark({ of }: { of: string }) {
  const { say } = useWords();
  return (
    <span className={styles.severity} data-severity={of}>
      {say.hazards.severities[of as Severity] ?? of}
    </span>
  );
}
