import type { Bounds } from "../address/window";
import styles from "./charts.module.css";

interface Props {
  points: readonly (readonly [seconds: number, value: number])[];
  bounds: Bounds;
  label: string;
}

const [WIDTH, HEIGHT] = [140, 22];

/** A course over time in a few pixels, as bars. */
export function Sparkline({ points, bounds, label }: Props) {
  const most = points.reduce((top, [, value]) => Math.max(top, value), 0) || 1;
  const [from, span] = [bounds.from / 1000, (bounds.until - bounds.from) / 1000];
  const step = points.reduce(
    (least, [at], index) => (index === 0 ? least : Math.min(least, at - (points[index - 1]?.[0] ?? at))),
    span / 20,
  );
  const width = Math.max(1, (step / span) * WIDTH - 0.5);
  return (
    <svg
      className={styles.spark}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      {points.map(([at, value]) => {
        const height = Math.max(1, (value / most) * HEIGHT);
        return (
          <rect key={at} x={((at - from) / span) * WIDTH} y={HEIGHT - height} width={width} height={height} />
        );
      })}
    </svg>
  );
}
