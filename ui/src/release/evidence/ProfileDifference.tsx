import { useDeferredValue, useMemo } from "react";
import { useSearchParams } from "react-router";
import { changeReleaseAddress, type ReleaseAddress, readReleaseAddress } from "../../address/release";
import type { ProfileDiff } from "../../api/wire";
import { Button } from "../../controls/Button";
import { Choice } from "../../controls/Choice";
import { SearchField } from "../../controls/SearchField";
import { FlameGraph } from "../../flamegraph/FlameGraph";
import { FunctionTable } from "../../flamegraph/FunctionTable";
import { frameOf, keyOf, layFlames } from "../../flamegraph/layout";
import { Scale } from "../../flamegraph/Scale";
import { type Matches, search as searchFrames } from "../../flamegraph/searching";
import { share } from "../../format/changes";
import { useWords } from "../../words";
import styles from "../release.module.css";

/** One profile's difference as a graph or a table; view, search and zoom are in the address. */
export default function ProfileDifference({ diff }: { diff: ProfileDiff }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const address = readReleaseAddress(search);
  const change = (part: Partial<ReleaseAddress>) =>
    setSearch((before) => changeReleaseAddress(before, part), { replace: true });
  const layout = useMemo(() => layFlames(diff.root), [diff]);
  const find = useDeferredValue(address.find);
  const matches = useMemo(() => searchFrames(layout, find), [layout, find]);
  const zoomed = frameOf(layout, address.frame);
  const label = `${say.flames}: ${say.profileTypes[diff.type] ?? diff.type}`;
  const views = [
    { value: "graph" as const, text: say.flameGraph },
    { value: "table" as const, text: say.table },
  ];
  return (
    <>
      <div className={styles.tools}>
        <Choice label={say.view} value={address.view} options={views} onChange={(view) => change({ view })} />
        <SearchField
          label={say.findFunction}
          value={address.find}
          onChange={(text) => change({ find: text })}
        />
        {zoomed > 0 && address.view === "graph" ? (
          <Button onClick={() => change({ frame: null })}>{say.wholeGraph}</Button>
        ) : null}
        <Found matches={matches} diff={diff} />
        <Scale />
      </div>
      {address.view === "table" ? (
        <FunctionTable layout={layout} unit={diff.unit} find={find} label={label} />
      ) : (
        <FlameGraph
          layout={layout}
          unit={diff.unit}
          label={label}
          zoomed={zoomed}
          matches={matches}
          onZoom={(index) => change({ frame: index === 0 ? null : keyOf(layout, index) })}
        />
      )}
    </>
  );
}

/** How much was found, and its part of the whole in both versions. */
function Found({ matches, diff }: { matches: Matches | null; diff: ProfileDiff }) {
  const { locale, say } = useWords();
  const part = (value: number, total: number) => share(total > 0 ? value / total : 0, locale);
  const text =
    matches === null
      ? ""
      : matches.count === 0
        ? say.noMatch
        : say.matched(
            matches.count,
            part(matches.baseline, diff.root.baseline),
            part(matches.candidate, diff.root.candidate),
          );
  return (
    <span role="status" className="soft small">
      {text}
    </span>
  );
}
