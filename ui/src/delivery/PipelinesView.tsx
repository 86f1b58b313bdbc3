import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";
import { Runs } from "./Runs";
import { Startables } from "./Startables";

/** What can be started, and every run; or how to have pipelines at all. */
export function PipelinesView() {
  const { say } = useWords();
  const asked = questions.pipelines();
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {({ directory, pipelines }) =>
        directory === null ? (
          <Panel title={say.delivery.none} lead={say.delivery.noneLead}>
            <Copyable
              text={"PILOTHOUSE_PIPELINES=.tekton pilothouse up\npilothouse run .tekton/build.yaml"}
            />
          </Panel>
        ) : (
          <>
            <Runs />
            <Startables directory={directory} pipelines={pipelines} />
          </>
        )
      }
    </Answer>
  );
}
