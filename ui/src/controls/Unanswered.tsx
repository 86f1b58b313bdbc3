import { type QueryKey, type UseQueryResult, useQueryClient } from "@tanstack/react-query";
import { useWords } from "../words";
import { Button } from "./Button";
import styles from "./controls.module.css";
import { Problem } from "./Problem";
import { Progress } from "./Progress";

interface Props {
  answers: readonly UseQueryResult<unknown>[];
  queryKeys: readonly QueryKey[];
  what: string;
}

/** Whether some of several questions that belong together have no answer yet; `Unanswered` shows why. */
export const isUnanswered = (answers: Props["answers"]): boolean =>
  answers.some((answer) => answer.data === undefined);

/** Several questions that are shown as one, before all are answered: being asked (with a way to stop), stopped, failed. */
export function Unanswered({ answers, queryKeys, what }: Props) {
  const client = useQueryClient();
  const { say } = useWords();
  const missing = answers.filter((answer) => answer.data === undefined || answer.error !== null);
  const again = () => {
    for (const answer of missing) answer.refetch();
  };
  const failed = missing.find((answer) => answer.error !== null);
  if (failed?.error) return <Problem problem={failed.error} again={again} />;
  if (missing.every((answer) => answer.fetchStatus === "idle")) {
    return (
      <div className={styles.progress}>
        <span role="status">{say.stopped}</span>
        <Button onClick={again}>{say.askAgain}</Button>
      </div>
    );
  }
  const stop = () => {
    for (const queryKey of queryKeys) client.cancelQueries({ queryKey });
  };
  return <Progress what={what} stop={stop} />;
}
