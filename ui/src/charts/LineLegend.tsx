import { useTheme } from "../app/theme";
import styles from "./charts.module.css";
import { strokeOf } from "./palette";

interface Props {
  label: string;
  names: string[];
  hidden: ReadonlySet<number>;
  onToggle: (hidden: ReadonlySet<number>) => void;
  colours?: string[];
}

/** Which line is which. A click shows one alone, the same again all; with Shift or Ctrl it takes one out. */
export function LineLegend({ label, names, hidden, onToggle, colours }: Props) {
  const { dark } = useTheme();
  const toggle = (at: number, more: boolean) => {
    const next = new Set(hidden);
    if (more) {
      if (!next.delete(at)) next.add(at);
    } else {
      const alone = hidden.size === names.length - 1 && !hidden.has(at);
      next.clear();
      if (!alone) for (const index of names.keys()) if (index !== at) next.add(index);
    }
    onToggle(next);
  };
  return (
    <ul className={styles.lines} aria-label={label}>
      {names.map((name, at) => {
        const stroke = strokeOf(at, dark);
        const colour = colours?.[at];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have their place and may share a name
          <li key={`${at} ${name}`}>
            <button
              type="button"
              aria-pressed={!hidden.has(at)}
              onClick={(event) => toggle(at, event.shiftKey || event.ctrlKey || event.metaKey)}
            >
              <i
                data-block={colour ? true : undefined}
                style={
                  colour
                    ? { background: colour, borderColor: colour }
                    : {
                        borderTopColor: stroke.colour,
                        borderTopStyle: stroke.dash.length > 0 ? "dashed" : "solid",
                      }
                }
              />
              {name}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
