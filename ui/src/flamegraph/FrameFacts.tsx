import type { DiffFrame } from "../api/wire";
import { change, share } from "../format/changes";
import { amount } from "../format/units";
import { useWords } from "../words";
import type { Catalogue } from "../words/en";
import styles from "./flamegraph.module.css";

interface Props {
  frame: DiffFrame;
  root: DiffFrame;
  unit: string;
  left: number;
  top: number;
  width: number;
  single: boolean;
}

/** Room that the facts take, in pixels: they stand on the other side of the pointer near the right edge. */
const WIDTH = 340;

/** Both numbers of one frame, beside the pointer. The same is in the live region and in the table. */
export function FrameFacts({ frame, root, unit, left, top, width, single }: Props) {
  const { locale, say } = useWords();
  const room = Math.min(WIDTH, width);
  const x = left + 14 + room > width ? Math.max(0, left - room - 10) : left + 14;
  return (
    <div className={styles.facts} style={{ left: x, top: top + 24, maxWidth: room }} aria-hidden="true">
      <strong>{frame.name}</strong>
      {frame.file ? <span className={styles.file}>{placeOf(frame)}</span> : null}
      <table>
        <tbody>
          {single ? (
            <>
              <Side name={say.total} value={frame.candidate} total={root.candidate} unit={unit} />
              <Side name={say.own} value={ownOf(frame)} total={root.candidate} unit={unit} />
            </>
          ) : (
            <>
              <Side name={say.baseline} value={frame.baseline} total={root.baseline} unit={unit} />
              <Side name={say.candidate} value={frame.candidate} total={root.candidate} unit={unit} />
              <tr>
                <th>{say.difference}</th>
                <td>{changeOf(frame, locale, say)}</td>
                <td>{amount(frame.candidate - frame.baseline, unit, locale)}</td>
              </tr>
            </>
          )}
        </tbody>
      </table>
    </div>
  );
}

function Side({ name, value, total, unit }: { name: string; value: number; total: number; unit: string }) {
  const { locale } = useWords();
  return (
    <tr>
      <th>{name}</th>
      <td>{amount(value, unit, locale)}</td>
      <td>{share(total > 0 ? value / total : 0, locale)}</td>
    </tr>
  );
}

/** One frame in a sentence, for a screen reader. */
export function frameSentence(
  frame: DiffFrame,
  root: DiffFrame,
  unit: string,
  locale: string,
  say: Catalogue,
  single: boolean,
): string {
  const side = (name: string, value: number, total: number) =>
    `${name} ${amount(value, unit, locale)}, ${share(total > 0 ? value / total : 0, locale)}`;
  if (single) {
    const parts = [
      side(say.total, frame.candidate, root.candidate),
      side(say.own, ownOf(frame), root.candidate),
    ];
    return [frame.name, ...parts].join("; ");
  }
  return [
    frame.name,
    side(say.baseline, frame.baseline, root.baseline),
    side(say.candidate, frame.candidate, root.candidate),
    `${say.difference} ${changeOf(frame, locale, say)}`,
  ].join("; ");
}

/** The relative change in words where a number would be none. */
export function changeOf(
  cost: { baseline: number; candidate: number },
  locale: string,
  say: Catalogue,
): string {
  if (cost.baseline <= 0 && cost.candidate <= 0) return say.same;
  if (cost.baseline <= 0) return say.onlyCandidate;
  if (cost.candidate <= 0) return say.onlyBaseline;
  return change(cost.candidate / cost.baseline - 1, locale);
}

/** What a frame costs by itself, of one profile. */
function ownOf(frame: DiffFrame): number {
  return Math.max(0, frame.candidate - frame.children.reduce((sum, callee) => sum + callee.candidate, 0));
}

function placeOf(frame: DiffFrame): string {
  return frame.line > 0 ? `${frame.file}:${frame.line}` : frame.file;
}
