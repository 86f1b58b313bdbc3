import type { Comparison, SignalName } from "../../api/wire";
import { Endpoints } from "../../controls/Endpoints";
import { useWords } from "../../words";

/** Why there is nothing to show for a signal: it is fine, there was too little of it, or none came. */
export function Nothing({
  comparison,
  signal,
  fine,
}: {
  comparison: Comparison;
  signal: SignalName;
  fine: string;
}) {
  const { say } = useWords();
  const verdict = comparison.signals[signal];
  if (verdict === undefined || verdict.state === "no_data") {
    return (
      <>
        <p>{say.noneOf[signal]}</p>
        <Endpoints only={signal === "profiles" ? ["pyroscope"] : ["otlp_grpc", "otlp_http"]} />
      </>
    );
  }
  if (verdict.state === "cannot_tell") {
    return (
      <p>
        {say.notEnough} <span lang="en">{verdict.note}</span>
      </p>
    );
  }
  return <p className="soft">{fine}</p>;
}
