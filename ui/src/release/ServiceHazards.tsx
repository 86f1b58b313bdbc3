import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { Panel } from "../controls/Panel";
import { SeverityMark } from "../hazards/Found";
import { about, type HazardFinding } from "../hazards/model";
import { RuleMessage } from "../hazards/RuleMessage";
import { useRuleWords } from "../hazards/spoken";
import { useWords } from "../words";
import styles from "./release.module.css";

/** The known ways to get hurt that were found on the service's objects in the watched cluster. */
export function ServiceHazards({ service }: { service: string }) {
  const { say } = useWords();
  const { data } = useQuery(questions.hazards());
  if (data === undefined) return null;
  const found = data.findings.filter((finding) => about(finding, service));
  if (!data.watching && found.length === 0) return null;
  return (
    <Panel title={say.hazards.title}>
      {found.length === 0 ? <p className="soft">{say.around.noHazards(service)}</p> : null}
      <ul className={styles.runs} aria-label={say.hazards.title}>
        {found.map((finding) => (
          <li key={`${finding.rule} ${finding.subject} ${finding.message}`}>
            <SeverityMark of={finding.severity} />{" "}
            <Link to={`/hazards?${new URLSearchParams({ find: finding.rule })}`}>
              <Title of={finding} />
            </Link>{" "}
            <span className="soft small">
              {finding.subject}: <RuleMessage of={finding} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Title({ of }: { of: HazardFinding }) {
  const told = useRuleWords()(of.rule, { title: of.title, advice: "" });
  return <span lang={told.lang}>{told.title}</span>;
}
