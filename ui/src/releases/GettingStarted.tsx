import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import type { Status } from "../api/wire";
import { Copyable } from "../controls/Copyable";
import { addressOf, Endpoints } from "../controls/Endpoints";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";

/** What to do when nothing has arrived: where to point an SDK, ready to copy. */
export function GettingStarted() {
  const { say } = useWords();
  const { data: status } = useQuery(questions.status());
  return (
    <Panel title={say.nothingYet} lead={say.nothingYetLead}>
      <Endpoints />
      {status ? (
        <>
          <p>{say.example}</p>
          <Copyable text={environment(status)} />
        </>
      ) : null}
    </Panel>
  );
}

/** The variables of the OpenTelemetry specification that a service needs. */
export function environment(status: Status): string {
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${addressOf(status, "otlp_http") ?? ""}`,
    "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    "export OTEL_RESOURCE_ATTRIBUTES=service.name=checkout,service.version=1.0.0",
  ].join("\n");
}
