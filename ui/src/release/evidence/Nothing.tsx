import type { Comparison, SignalName } from "../../api/wire";
import { Endpoints } from "../../controls/Endpoints";
import { useWords } from "../../words";
import { Told } from "../../words/telling";

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
        {say.notEnough} <Told text={verdict.note} />
      </p>
    );
  }
  return <p className="soft">{fine}</p>;
}
