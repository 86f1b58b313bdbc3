import { useMemo } from "react";
import type { DiffFrame } from "../api/wire";
import { FlameGraph } from "../flamegraph/FlameGraph";
import { costsByFunction } from "../flamegraph/functions";
import { type FlameLayout, layFlames } from "../flamegraph/layout";
import { amount } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { AroundFunction } from "./AroundFunction";
import styles from "./profiles.module.css";
import { sandwich } from "./sandwich";

interface Props {
  root: DiffFrame;
  layout: FlameLayout;
  unit: string;
  single: boolean;
  name: string;
  onChoose: (name: string) => void;
  selection: Selection;
}

/** So many functions are offered. */
const MOST = 500;

/** One function from both sides: everything it calls, and upside down everything that calls it. */
export function OneFunction({ root, layout, unit, single, name, onChoose, selection }: Props) {
  const { locale, say } = useWords();
  const costs = useMemo(() => {
    const found = costsByFunction(layout);
    return found.sort((a, b) => b.totalCandidate + b.totalBaseline - a.totalCandidate - a.totalBaseline);
  }, [layout]);
  const chosen = costs.some((cost) => cost.name === name) ? name : (dearest(costs)?.name ?? "");
  const sides = useMemo(() => sandwich(root, chosen), [root, chosen]);
  const above = useMemo(() => layFlames(sides.callers), [sides]);
  const below = useMemo(() => layFlames(sides.callees), [sides]);
  const graph = (label: string, laid: FlameLayout) => (
    <FlameGraph
      layout={laid}
      unit={unit}
      label={label}
      zoomed={0}
      matches={null}
      single={single}
      onZoom={(index) => onChoose(laid.frames[index]?.name ?? chosen)}
    />
  );
  return (
    <>
      <label className={styles.compare}>
        {say.function}
        <select value={chosen} onChange={(event) => onChoose(event.target.value)}>
          {costs.slice(0, MOST).map((cost) => (
            <option key={`${cost.name}\n${cost.file}`} value={cost.name}>
              {cost.name} · {amount(cost.totalCandidate, unit, locale)}
            </option>
          ))}
        </select>
      </label>
      <h2 className={styles.side}>{say.profiles.callees}</h2>
      {graph(`${say.profiles.callees}: ${chosen}`, below)}
      <h2 className={styles.side}>{say.profiles.callers}</h2>
      {graph(`${say.profiles.callers}: ${chosen}`, above)}
      <AroundFunction name={chosen} selection={selection} />
    </>
  );
}

/** The function that costs most by itself. */
function dearest(costs: ReturnType<typeof costsByFunction>) {
  return costs.reduce<(typeof costs)[number] | undefined>(
    (best, cost) => (best === undefined || cost.ownCandidate > best.ownCandidate ? cost : best),
    undefined,
  );
}
