import { useQuery } from "@tanstack/react-query";
import type { CompareQuestion } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { useWords } from "../words";
import { Changes } from "./Changes";
import { Evidence } from "./evidence/Evidence";
import styles from "./release.module.css";
import { Story } from "./Story";
import { Tested } from "./Tested";
import { useScrollToHash } from "./useScrollToHash";

/** The verdict on one pair of versions. */
export function Verdict({ question }: { question: CompareQuestion }) {
  return <Judged asked={questions.compare(question)} />;
}

/** What changed at a time, told like a verdict. */
export function Why({ path }: { path: string }) {
  return <Judged asked={questions.why(path)} />;
}

type Asked = ReturnType<typeof questions.compare> | ReturnType<typeof questions.why>;

/** Asks, and shows the story before its evidence. */
function Judged({ asked }: { asked: Asked }) {
  const { say } = useWords();
  const answer = useQuery(asked as ReturnType<typeof questions.why>);
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
          <Changes comparison={comparison} />
          <Evidence comparison={comparison} />
          <Tested comparison={comparison} />
        </div>
      )}
    </Answer>
  );
}
