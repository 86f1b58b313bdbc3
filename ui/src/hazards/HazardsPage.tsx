import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";
import { Found } from "./Found";
import styles from "./hazards.module.css";
import { Rules } from "./Rules";

/** The known ways to get hurt: what was found in the watched cluster, by cause; and all rules with their reasons. */
export function HazardsPage() {
  const { say } = useWords();
  useTitle(say.hazards.title);
  const asked = questions.hazards();
  const question = useQuery(asked);
  const catalog = questions.hazardRules();
  const rules = useQuery(catalog);
  return (
    <>
      <h1 className={styles.title}>{say.hazards.title}</h1>
      <Panel title={say.hazards.found}>
        <Answer question={question} queryKey={asked.queryKey} what={say.working}>
          {(hazards) => (
            <>
              {hazards.watching ? null : (
                <>
                  <p className="soft">{say.hazards.notWatching}</p>
                  <pre className={styles.command}>pilothouse check manifests/</pre>
                </>
              )}
              {hazards.findings.length > 0 ? (
                <Found findings={hazards.findings} rules={rules.data ?? []} />
              ) : hazards.watching ? (
                <p>{say.hazards.none}</p>
              ) : null}
            </>
          )}
        </Answer>
      </Panel>
      <Answer question={rules} queryKey={catalog.queryKey} what={say.working}>
        {(all) => <Rules rules={all} />}
      </Answer>
    </>
  );
}
