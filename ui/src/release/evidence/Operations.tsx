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
import { Examples } from "./Examples";
import { Item } from "./Item";
import { Nothing } from "./Nothing";
import { Several } from "./Several";

const DurationChart = lazy(() => import("../../charts/DurationChart"));

/** The operations that changed: how long they took in both versions, and traces to look at. */
export function Operations({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  const findings = ofSignal(comparison, "traces");
  return (
    <Panel title={say.slowed} id="traces">
      {findings.length === 0 ? (
        <Nothing comparison={comparison} signal="traces" fine={say.noneSlowed} />
      ) : (
        <Several findings={findings}>
          {(finding) => (
            <Item key={finding.rank} finding={finding}>
              {finding.evidence.api ? (
                <Chart finding={finding} path={finding.evidence.api} comparison={comparison} />
              ) : null}
              <Also measures={finding.detail?.also ?? []} />
              <Examples title={say.exampleTraces} examples={finding.examples} />
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
  const asked = questions.durations(path);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.asking.evidence}>
      {(durations) => (
        <Suspense fallback={<Progress what={say.asking.evidence} />}>
          <DurationChart
            durations={durations}
            comparison={comparison}
            finding={finding}
            label={tell(finding.title).text}
          />
        </Suspense>
      )}
    </Answer>
  );
}
