import { useQuery } from "@tanstack/react-query";
import type { CompareQuestion } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { useWords } from "../words";
import { Evidence } from "./evidence/Evidence";
import styles from "./release.module.css";
import { Story } from "./Story";
import { Tested } from "./Tested";
import { useScrollToHash } from "./useScrollToHash";

/** Asks for the verdict on one pair of versions and shows it. */
export function Verdict({ question }: { question: CompareQuestion }) {
  const { say } = useWords();
  const asked = questions.compare(question);
  const answer = useQuery(asked);
  useScrollToHash(answer.data !== undefined);
  return (
    <Answer question={answer} queryKey={asked.queryKey} what={say.asking.compare}>
      {(comparison) => (
        <div className={styles.page} aria-busy={answer.isFetching}>
          <Story
            comparison={comparison}
            now={answer.dataUpdatedAt}
            again={
              <Button onClick={() => answer.refetch()} disabled={answer.isFetching}>
                {say.judgeAgain}
              </Button>
            }
          />
          <Evidence comparison={comparison} />
          <Tested comparison={comparison} />
        </div>
      )}
    </Answer>
  );
}
