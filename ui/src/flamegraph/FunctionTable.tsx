import { useMemo, useState } from "react";
import { Button } from "../controls/Button";
import { amount } from "../format/units";
import { useWords } from "../words";
import { changeOf } from "./FrameFacts";
import styles from "./flamegraph.module.css";
import { COLUMNS, type Column, costsByFunction, differenceIn, type FunctionCost } from "./functions";
import type { FlameLayout } from "./layout";

/** So many functions are listed at a time. */
const PAGE = 25;

interface Props {
  layout: FlameLayout;
  unit: string;
  find: string;
  label: string;
  /** One profile instead of the difference of two. */
  single?: boolean;
  onChoose?: (name: string) => void;
}

/** The same numbers as the graph, by function: what changed most first. */
export function FunctionTable({ layout, unit, find, label, single = false, onChoose }: Props) {
  const { say } = useWords();
  const [column, setColumn] = useState<Column>("own");
  const [shown, setShown] = useState(PAGE);
  const costs = useMemo(() => costsByFunction(layout), [layout]);
  const rows = useMemo(() => {
    const wanted = find.trim().toLowerCase();
    const found = costs.filter((cost) => `${cost.name}\n${cost.file}`.toLowerCase().includes(wanted));
    return found.sort((a, b) => Math.abs(differenceIn(b, column)) - Math.abs(differenceIn(a, column)));
  }, [costs, find, column]);
  const names = { own: say.own, total: say.total };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.tableScroller} aria-label={label} tabIndex={0}>
      <table className={styles.functions}>
        <thead>
          <tr>
            <th rowSpan={single ? 1 : 2} scope="col">
              {say.function}
            </th>
            {COLUMNS.map((name) => (
              <th
                key={name}
                className={single ? "right" : undefined}
                colSpan={single ? 1 : 3}
                scope="colgroup"
                aria-sort={name === column ? "descending" : "none"}
              >
                <button type="button" onClick={() => setColumn(name)} aria-label={say.sortBy(names[name])}>
                  {names[name]} {name === column ? "▾" : ""}
                </button>
              </th>
            ))}
          </tr>
          {single ? null : (
            <tr>
              {COLUMNS.map((name) =>
                [say.baseline, say.candidate, say.difference].map((text) => (
                  <th key={name + text} className="right" scope="col">
                    {text}
                  </th>
                )),
              )}
            </tr>
          )}
        </thead>
        <tbody>
          {rows.slice(0, shown).map((cost) => (
            <Row
              key={`${cost.name}\n${cost.file}`}
              cost={cost}
              unit={unit}
              single={single}
              {...(onChoose ? { onChoose } : {})}
            />
          ))}
        </tbody>
      </table>
      {rows.length === 0 ? <p>{say.noMatch}</p> : null}
      {rows.length > shown ? (
        <Button quiet onClick={() => setShown(shown + 4 * PAGE)}>
          {say.more(Math.min(rows.length - shown, 4 * PAGE))}
        </Button>
      ) : null}
    </section>
  );
}

interface RowProps {
  cost: FunctionCost;
  unit: string;
  single: boolean;
  onChoose?: (name: string) => void;
}

function Row({ cost, unit, single, onChoose }: RowProps) {
  const { locale, say } = useWords();
  const pairs = [
    { baseline: cost.ownBaseline, candidate: cost.ownCandidate },
    { baseline: cost.totalBaseline, candidate: cost.totalCandidate },
  ];
  return (
    <tr>
      <th scope="row">
        {onChoose ? (
          <button type="button" onClick={() => onChoose(cost.name)}>
            <code>{cost.name}</code>
          </button>
        ) : (
          <code>{cost.name}</code>
        )}
        {cost.file ? <span className={styles.file}>{cost.file}</span> : null}
      </th>
      {single
        ? [cost.ownCandidate, cost.totalCandidate].map((value, index) => (
            <td key={COLUMNS[index]} className="right">
              {amount(value, unit, locale)}
            </td>
          ))
        : pairs.map((pair, index) => [
            <td key={`${COLUMNS[index]}b`} className="right">
              {amount(pair.baseline, unit, locale)}
            </td>,
            <td key={`${COLUMNS[index]}c`} className="right">
              {amount(pair.candidate, unit, locale)}
            </td>,
            <td key={`${COLUMNS[index]}d`} className="right" data-more={pair.candidate > pair.baseline}>
              {changeOf(pair, locale, say)}
            </td>,
          ])}
    </tr>
  );
}
