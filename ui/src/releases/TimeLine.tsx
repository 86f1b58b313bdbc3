import { Link } from "react-router";
import { releasePath } from "../address/release";
import { milliseconds, moment } from "../format/instants";
import { VerdictMark } from "../verdict/VerdictBadge";
import { useWords } from "../words";
import { judgementOf, type ServiceReleases } from "./grouping";
import styles from "./releases.module.css";
import { layBars, type Span, ticksOf } from "./timeline";

/** Height of a lane, in rem. */
const LANE = 1.75;

/** The versions of one service over time, each with its verdict; the list beside it says the same in words. */
export function TimeLine({ group, span, now }: { group: ServiceReleases; span: Span; now: number }) {
  const { locale, say } = useWords();
  const bars = layBars(group.releases, span);
  const lanes = Math.max(...bars.map((bar) => bar.lane + 1));
  return (
    <div className={styles.line} style={{ height: `${lanes * LANE + 0.4}rem` }}>
      {ticksIn(span).map((at) => (
        <i key={at} style={{ left: `${placeIn(span, at)}%` }} />
      ))}
      <ol aria-label={say.timeLineOf(group.service)}>
        {bars.map(({ release, left, width, lane }) => {
          const judgement = judgementOf(release);
          const since = moment(milliseconds(release.first_seen) ?? now, now, locale);
          const name = `${release.service} ${release.version}, ${say.verdicts[judgement]}, ${say.firstSeen} ${since}`;
          return (
            <li
              key={release.version}
              style={{
                left: `min(${left * 100}%, 100% - 1.5rem)`,
                width: `${width * 100}%`,
                top: `${lane * LANE + 0.2}rem`,
              }}
            >
              <Link
                className={styles.bar}
                data-verdict={judgement}
                to={releasePath(release, release.verdict?.page)}
                aria-label={name}
                title={name}
              >
                <VerdictMark of={judgement} size={13} />
                <span>{release.version}</span>
              </Link>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** The times under (or over) all lines; they say nothing that the lines do not. */
export function TimeAxis({ span, now }: { span: Span; now: number }) {
  const { locale, say } = useWords();
  const length = span.until - span.from;
  const days = length > 2 * 86_400_000;
  const format = new Intl.DateTimeFormat(
    locale,
    days ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  );
  const ticks = ticksIn(span);
  return (
    <div className={styles.axis} aria-hidden="true">
      {ticks.map((at) => (
        <span key={at} style={{ left: `${placeIn(span, at)}%` }}>
          {format.format(at)}
        </span>
      ))}
      <span style={{ left: "100%" }} title={moment(now, now, locale)}>
        {say.now}
      </span>
    </div>
  );
}

/** The times that are labelled; none so near to the end that it would run into "now". */
function ticksIn(span: Span): number[] {
  return ticksOf(span, 6).filter((at) => placeIn(span, at) < 94);
}

/** Where a time is on the line, in percent. */
function placeIn(span: Span, at: number): number {
  return ((at - span.from) / (span.until - span.from)) * 100;
}
