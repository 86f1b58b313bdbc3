import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { questions } from "../../api/questions";
import type { Comparison, Finding } from "../../api/wire";
import { Answer } from "../../controls/Answer";
import { Panel } from "../../controls/Panel";
import { Progress } from "../../controls/Progress";
import { useWords } from "../../words";
import { useTell } from "../../words/telling";
import { ofSignal } from "../ranking";
import { Also } from "./Also";
import { Item } from "./Item";
import { Nothing } from "./Nothing";
import { Several } from "./Several";

const SeriesChart = lazy(() => import("../../charts/SeriesChart"));

/** The metrics that moved, both versions overlaid. */
export function Metrics({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  const findings = ofSignal(comparison, "metrics");
  return (
    <Panel title={say.metricsMoved} id="metrics">
      {findings.length === 0 ? (
        <Nothing comparison={comparison} signal="metrics" fine={say.noMetricsMoved} />
      ) : (
        <Several findings={findings}>
          {(finding) => (
            <Item key={finding.rank} finding={finding}>
              {finding.evidence.api ? (
                <Chart finding={finding} path={finding.evidence.api} comparison={comparison} />
              ) : null}
              <Also measures={finding.detail?.also ?? []} />
            </Item>
          )}
        </Several>
      )}
    </Panel>
  );
}

function Chart({ finding, path, comparison }: { finding: Finding; path: string; comparison: Comparison }) {
  const { say } = useWords();
  const tell = useTell();
  const asked = questions.series(path);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.asking.evidence}>
      {(answer) => (
        <Suspense fallback={<Progress what={say.asking.evidence} />}>
          <SeriesChart answer={answer} comparison={comparison} label={tell(finding.title).text} />
        </Suspense>
      )}
    </Answer>
  );
}
