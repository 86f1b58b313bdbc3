import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { changeReleaseAddress } from "../address/release";
import type { CompareQuestion } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { useWords } from "../words";
import { Telling } from "../words/telling";
import { Changes } from "./Changes";
import { Evidence } from "./evidence/Evidence";
import styles from "./release.module.css";
import { Story } from "./Story";
import { Tested } from "./Tested";
import { useScrollToHash } from "./useScrollToHash";

/** The verdict on one pair of versions: one that was given before, or one that is made now. */
export function Verdict({ question, given }: { question: CompareQuestion; given: string | null }) {
  return (
    <Judged asked={given === null ? questions.compare(question) : questions.verdict(given)} given={given} />
  );
}

/** What changed at a time, told like a verdict. */
export function Why({ path }: { path: string }) {
  return <Judged asked={questions.why(path)} />;
}

type Asked = ReturnType<typeof questions.compare> | ReturnType<typeof questions.why>;

/** Asks, and shows the story before its evidence. */
function Judged({ asked, given = null }: { asked: Asked; given?: string | null }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const answer = useQuery(asked as ReturnType<typeof questions.why>);
  useScrollToHash(answer.data !== undefined);
  return (
    <Answer question={answer} queryKey={asked.queryKey} what={say.asking.compare}>
      {(comparison) => (
        <Telling sentences={comparison.sentences ?? {}}>
          <div className={styles.page} aria-busy={answer.isFetching}>
            <Story
              comparison={comparison}
              now={answer.dataUpdatedAt}
              again={
                <Button
                  onClick={() =>
                    given === null
                      ? answer.refetch()
                      : setSearch(changeReleaseAddress(search, { verdict: null }))
                  }
                  disabled={answer.isFetching}
                >
                  {say.judgeAgain}
                </Button>
              }
            />
            <Changes comparison={comparison} />
            <Evidence comparison={comparison} />
            <Tested comparison={comparison} />
          </div>
        </Telling>
      )}
    </Answer>
  );
}
