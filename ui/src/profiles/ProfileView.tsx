import { useDeferredValue, useMemo } from "react";
import type { DiffFrame } from "../api/wire";
import { Button } from "../controls/Button";
import { Choice } from "../controls/Choice";
import { SearchField } from "../controls/SearchField";
import { FlameGraph } from "../flamegraph/FlameGraph";
import { FunctionTable } from "../flamegraph/FunctionTable";
import { frameOf, keyOf, layFlames } from "../flamegraph/layout";
import { Scale } from "../flamegraph/Scale";
import { search as searchFrames } from "../flamegraph/searching";
import { share } from "../format/changes";
import { amount } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { readProfilesAddress } from "./asking";
import { OneFunction } from "./OneFunction";
import styles from "./profiles.module.css";

interface Props {
  root: DiffFrame;
  unit: string;
  selection: Selection;
  single: boolean;
}

/** A profile or a difference: as a flame graph, as a table, or one function from both sides. */
export function ProfileView({ root, unit, selection, single }: Props) {
  const { locale, say } = useWords();
  const address = readProfilesAddress(selection.search);
  const { change } = selection;
  const layout = useMemo(() => layFlames(root), [root]);
  const find = useDeferredValue(address.find);
  const matches = useMemo(() => searchFrames(layout, find), [layout, find]);
  const zoomed = frameOf(layout, address.frame);
  const views = [
    { value: "graph" as const, text: say.flameGraph },
    { value: "table" as const, text: say.table },
    { value: "sandwich" as const, text: say.profiles.sandwich },
  ];
  const label = single ? say.flameGraph : say.flames;
  const frame = layout.frames[zoomed];
  const total = single
    ? amount(root.candidate, unit, locale)
    : `${amount(root.baseline, unit, locale)} → ${amount(root.candidate, unit, locale)}`;
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <Choice label={say.view} value={address.view} options={views} onChange={(view) => change({ view })} />
        {address.view === "sandwich" ? null : (
          <SearchField
            label={say.findFunction}
            value={address.find}
            onChange={(text) => change({ find: text })}
          />
        )}
        {zoomed > 0 && address.view === "graph" ? (
          <>
            <Button onClick={() => change({ frame: null })}>{say.wholeGraph}</Button>
            <Button quiet onClick={() => change({ view: "sandwich", function: frame?.name ?? "" }, true)}>
              {say.profiles.bothSides}
            </Button>
          </>
        ) : null}
        <span role="status" className="soft small">
          {matches === null
            ? total
            : matches.count === 0
              ? say.noMatch
              : `${share(matches.candidate / Math.max(root.candidate, 1), locale)} · ${total}`}
        </span>
        {single ? null : <Scale />}
      </div>
      {address.view === "table" ? (
        <FunctionTable
          layout={layout}
          unit={unit}
          find={find}
          label={label}
          single={single}
          onChoose={(name) => change({ view: "sandwich", function: name }, true)}
        />
      ) : address.view === "sandwich" ? (
        <OneFunction
          root={root}
          layout={layout}
          unit={unit}
          single={single}
          name={address.function}
          onChoose={(name) => change({ function: name })}
          selection={selection}
        />
      ) : (
        <FlameGraph
          layout={layout}
          unit={unit}
          label={label}
          zoomed={zoomed}
          matches={matches}
          single={single}
          onZoom={(index) => change({ frame: index === 0 ? null : keyOf(layout, index) })}
        />
      )}
    </div>
  );
}
