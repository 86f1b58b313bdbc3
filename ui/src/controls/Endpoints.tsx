import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import type { Status } from "../api/wire";
import { useWords } from "../words";
import { Answer } from "./Answer";
import styles from "./controls.module.css";

/** A way in for telemetry. */
export type WayIn = "otlp_grpc" | "otlp_http" | "pyroscope";

const ALL: readonly WayIn[] = ["otlp_grpc", "otlp_http", "pyroscope"];

/** The address of a way in; Pyroscope's is a path on our own port. */
export function addressOf(status: Status, way: WayIn): string | null {
  const { http } = status.endpoints;
  if (way === "pyroscope") return http ? `${http}/pyroscope` : null;
  return status.endpoints[way] ?? null;
}

/** Where to point an SDK, as the server says it. */
export function Endpoints({ only = ALL }: { only?: readonly WayIn[] }) {
  const { say } = useWords();
  const asked = questions.status();
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.asking.evidence}>
      {(status) => (
        <dl className={styles.endpoints}>
          {only.map((way) => (
            <div key={way}>
              <dt>{say.endpoints[way]}</dt>
              <dd>
                <code>{addressOf(status, way) ?? "–"}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Answer>
  );
}
