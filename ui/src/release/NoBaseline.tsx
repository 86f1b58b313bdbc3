import { Link } from "react-router";
import { Endpoints } from "../controls/Endpoints";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";

interface Props {
  service: string;
  version: string;
  known: boolean;
}

/** Nothing to compare with: why, and what to do about it. */
export function NoBaseline({ service, version, known }: Props) {
  const { say } = useWords();
  if (!known) {
    return (
      <Panel title={say.unknownRelease(service, version)} lead={say.nothingYetLead}>
        <Endpoints />
        <Link to="/">{say.notFoundDo}</Link>
      </Panel>
    );
  }
  return (
    <Panel title={say.noBaseline(service, version)} lead={say.noBaselineDo}>
      <Endpoints />
    </Panel>
  );
}
