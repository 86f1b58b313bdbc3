import { type UseQueryResult, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useWords } from "../words";
import { Button } from "./Button";
import styles from "./controls.module.css";
import { Problem } from "./Problem";
import { Progress } from "./Progress";

interface Props<T> {
  question: UseQueryResult<T>;
  queryKey: readonly unknown[];
  what: string;
  children: (answer: T) => ReactNode;
}

/** The four states of a question: being asked (with a way to stop), stopped, failed, answered. */
export function Answer<T>({ question, queryKey, what, children }: Props<T>) {
  const client = useQueryClient();
  const { say } = useWords();
  if (question.data !== undefined) return children(question.data);
  if (question.error) return <Problem problem={question.error} again={() => question.refetch()} />;
  if (question.fetchStatus === "idle") {
    return (
      <div className={styles.progress}>
        <span role="status">{say.stopped}</span>
        <Button onClick={() => question.refetch()}>{say.askAgain}</Button>
      </div>
    );
  }
  return <Progress what={what} stop={() => client.cancelQueries({ queryKey })} />;
}
