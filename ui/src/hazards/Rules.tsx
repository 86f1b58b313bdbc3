import { lazy, Suspense, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { Panel } from "../controls/Panel";
import { Progress } from "../controls/Progress";
import { SearchField } from "../controls/SearchField";
import { useWords } from "../words";
import { SeverityMark } from "./Found";
import styles from "./hazards.module.css";
import { type HazardRule, rulesWith } from "./model";
import { type SpeakRule, useRuleWords } from "./spoken";

const ProofChart = lazy(() => import("./ProofChart"));

/** All rules: what hurts, why, what to do, where that is known from, and the chart that would prove it. */
export function Rules({ rules }: { rules: HazardRule[] }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const find = search.get("find") ?? "";
  const speak = useRuleWords();
  const wanted = rulesWith(rules, find, (rule) => speak(rule.id, rule).title);
  const change = (text: string) => setSearch(text ? { find: text } : {}, { replace: true });
  return (
    <Panel
      title={say.hazards.rules(wanted.length)}
      lead={say.hazards.rulesLead}
      aside={<SearchField label={say.hazards.findRule} value={find} onChange={change} />}
    >
      {wanted.length === 0 ? <p>{say.hazards.noRule}</p> : null}
      <div className={styles.rules}>
        {wanted.map((rule) => (
          <OneRule key={rule.id} rule={rule} told={speak(rule.id, rule)} />
        ))}
      </div>
    </Panel>
  );
}

/** A rule; its charts are asked for when it is opened. */
function OneRule({ rule, told }: { rule: HazardRule; told: ReturnType<SpeakRule> }) {
  const { say } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <SeverityMark of={rule.severity} />
        <span lang={told.lang}>{told.title}</span> <code>{rule.id}</code>
      </summary>
      <div lang={told.lang}>
        <p>{told.why}</p>
        <p>{told.advice}</p>
        {rule.queries.map((query) => (
          <div key={query}>
            <p>
              <Link to={`/explore/metrics?${new URLSearchParams({ query })}`}>{say.hazards.proof}</Link>{" "}
              <code>{query}</code>
            </p>
            {open ? (
              <Suspense fallback={<Progress what={say.working} />}>
                <ProofChart query={query} />
              </Suspense>
            ) : null}
          </div>
        ))}
        {rule.sources.length > 0 ? (
          <p className="soft small">
            {say.hazards.sources} {rule.sources.join(" · ")}
          </p>
        ) : null}
      </div>
    </details>
  );
}
