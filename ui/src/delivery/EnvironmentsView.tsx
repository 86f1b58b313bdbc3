import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";
import { EnvironmentBoard } from "./EnvironmentBoard";
import { PromotePanel } from "./PromotePanel";
import { Promotions } from "./Promotions";
import type { Question } from "./promoting";

/** What runs where, moving it on, and what is on its way; or how to have environments at all. */
export function EnvironmentsView() {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const asked = questions.environments();
  const question = useQuery(asked);
  const wanted = (name: string) => search.get(name) ?? "";
  const promote: Question = { service: wanted("service"), version: wanted("version"), to: wanted("to") };
  const choose = (next: Question | null) => setSearch(next === null ? {} : { ...next }, { replace: true });
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {({ file, environments }) =>
        file === null ? (
          <Panel title={say.promoting.none} lead={say.promoting.noneLead}>
            <Copyable text="PILOTHOUSE_ENVIRONMENTS=environments.yaml pilothouse up" />
          </Panel>
        ) : (
          <>
            <EnvironmentBoard environments={environments} choose={choose} />
            <PromotePanel
              key={search.toString()}
              environments={environments}
              question={promote}
              choose={choose}
            />
            <Promotions />
          </>
        )
      }
    </Answer>
  );
}
