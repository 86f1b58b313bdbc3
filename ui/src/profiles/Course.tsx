import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { stepOf } from "../address/window";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { coursePath } from "./asking";
import type { ProfileType, Rendered } from "./model";
import styles from "./profiles.module.css";

const TimeChart = lazy(() => import("../charts/TimeChart"));

interface Props {
  selection: Selection;
  kept: ProfileType;
  height?: number;
  sync?: string;
}

/** What was spent over time; a stretch that is marked is looked at closer. */
export function Course({ selection, kept, height = 90, sync }: Props) {
  const { say } = useWords();
  const { bounds, selector } = selection;
  const asked = questions.profileCourse(coursePath(selector, bounds, kept));
  const question = useQuery(asked);
  const step = Math.max(60, stepOf(bounds, 60));
  const name = say.profileTypes[kept.type] ?? kept.type;
  const grid = useMemo(() => gridFrom(question.data, step, name), [question.data, step, name]);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.profiles.asking}>
      {() => (
        <div className={styles.course}>
          <Suspense fallback={<div style={{ height }} />}>
            <TimeChart
              label={say.profiles.course(name)}
              grid={grid}
              unit={kept.unit}
              bounds={bounds}
              shape="bars"
              height={height}
              {...(sync ? { sync } : {})}
              onBrush={selection.zoomTo}
            />
          </Suspense>
        </div>
      )}
    </Answer>
  );
}

/** A profile comes every ten seconds to a minute: finer steps would be gaps. */
export function gridFrom(rendered: Rendered | undefined, step: number, name: string) {
  const { startTime = 0, samples = [], durationDelta = 10 } = rendered?.timeline ?? {};
  const sums = new Map<number, number>();
  samples.forEach((value, index) => {
    const at = Math.floor((startTime + index * durationDelta) / step) * step;
    sums.set(at, (sums.get(at) ?? 0) + value);
  });
  return { xs: [...sums.keys()], ys: [[...sums.values()]], names: [name] };
}
