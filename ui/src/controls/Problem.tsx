import { ApiProblem } from "../api/problem";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import { Button } from "./Button";
import styles from "./controls.module.css";

/** An error in words, with the field it is about and a way to try again. */
export function Problem({ problem, again }: { problem: Error; again?: () => void }) {
  const { say } = useWords();
  const known = problem instanceof ApiProblem ? problem : null;
  const own = known === null ? say.broken : known.code === "unreachable" ? say.unreachable : null;
  return (
    <div className={styles.problem} role="alert">
      <strong>{say.problem}</strong>
      <p>{own ?? <Saying text={known?.message ?? ""} />}</p>
      {/* Most reasons name their field themselves. */}
      {known?.field && !known.message.includes(known.field) ? <p>{say.about(known.field)}</p> : null}
      {again ? <Button onClick={again}>{say.tryAgain}</Button> : null}
    </div>
  );
}
