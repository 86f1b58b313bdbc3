import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { Progress } from "../controls/Progress";
import { flamePath, typesPath } from "../profiles/asking";
import { Course } from "../profiles/Course";
import { type Selection, sameSelection } from "../selection/useSelection";
import { useWords } from "../words";
import styles from "./explore.module.css";

const SmallFlames = lazy(() => import("./SmallFlames"));

/** What was spent over time, and where; a frame leads to its function. */
export function ProfilePane({ selection }: { selection: Selection }) {
  const { say } = useWords();
  const asked = questions.profileTypesFull(typesPath(selection.selector, selection.bounds));
  const question = useQuery(asked);
  return (
    <Panel title={say.signals.profiles}>
      <Answer question={question} queryKey={asked.queryKey} what={say.profiles.asking}>
        {(types) => {
          const kept = types.find(({ type }) => type === "cpu") ?? types[0];
          if (kept === undefined) return <p className="soft">{say.explore.noProfiles}</p>;
          return (
            <>
              <Course selection={selection} kept={kept} height={90} sync="explore" />
              <Suspense fallback={<Progress what={say.profiles.asking} />}>
                <SmallFlames
                  path={flamePath(selection.selector, selection.bounds, kept.type)}
                  selection={selection}
                />
              </Suspense>
            </>
          );
        }}
      </Answer>
      <Link className={styles.more} to={sameSelection(selection.search, "/explore/profiles")}>
        {say.explore.open}
      </Link>
    </Panel>
  );
}
