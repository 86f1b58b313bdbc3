import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useSearchParams } from "react-router";
import { changeReleaseAddress, readReleaseAddress } from "../../address/release";
import { questions } from "../../api/questions";
import type { Comparison } from "../../api/wire";
import { Answer } from "../../controls/Answer";
import { Choice } from "../../controls/Choice";
import { Panel } from "../../controls/Panel";
import { Progress } from "../../controls/Progress";
import { useWords } from "../../words";
import { Nothing } from "./Nothing";
import { diffCall, typesCall, typesFound, typesToChoose } from "./profileTypes";

const ProfileDifference = lazy(() => import("./ProfileDifference"));

/** The flame graph of the difference, of the type that the address names or the worst finding is about. */
export function Profiles({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const seen = (comparison.signals.profiles?.state ?? "no_data") !== "no_data";
  const { data: there } = useQuery({ ...questions.profileTypes(typesCall(comparison)), enabled: seen });
  const types = typesToChoose(comparison, there);
  const wished = readReleaseAddress(search).profile ?? typesFound(comparison)[0] ?? null;
  const options = types.map((value) => ({ value, text: say.profileTypes[value] ?? value }));
  const choose = (profile: string) =>
    setSearch((before) => changeReleaseAddress(before, { profile, frame: null }), { replace: true });
  const choice = <Choice label={say.profileType} value={wished ?? ""} options={options} onChange={choose} />;
  return (
    <Panel title={say.flames} lead={say.flamesLead} id="profiles" aside={options.length > 1 ? choice : null}>
      {seen ? (
        <Difference call={diffCall(comparison, wished)} />
      ) : (
        <Nothing comparison={comparison} signal="profiles" fine="" />
      )}
    </Panel>
  );
}

function Difference({ call }: { call: string }) {
  const { say } = useWords();
  const asked = questions.profileDiff(call);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.asking.evidence}>
      {(diff) => (
        <Suspense fallback={<Progress what={say.asking.evidence} />}>
          <ProfileDifference diff={diff} />
        </Suspense>
      )}
    </Answer>
  );
}
