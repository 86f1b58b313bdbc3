import { Link } from "react-router";
import { releasePath } from "../address/release";
import { between } from "../address/window";
import { Button } from "../controls/Button";
import { amount } from "../format/units";
import { LineRow } from "../logs/LineRow";
import type { LogLine } from "../logs/line";
import { formatSelector } from "../selection/selector";
import { useWords } from "../words";
import type { Row } from "./layout";
import { precise, serviceOf } from "./model";
import styles from "./traces.module.css";

interface Props {
  row: Row;
  lines: LogLine[];
  close: () => void;
}

/** One span whole: its times, what it says of itself, its events and log lines, and the ways on. */
export function SpanDetails({ row, lines, close }: Props) {
  const { locale, say } = useWords();
  const { span, own } = row;
  return (
    <section className={styles.details} aria-label={say.traces.span}>
      <header>
        <h2>{span.name}</h2>
        <Button quiet onClick={close} aria-label={say.close}>
          ×
        </Button>
      </header>
      <ul className={styles.facts}>
        <li>{amount(span.duration_ms, "ms", locale)}</li>
        <li>{say.traces.own(amount(own, "ms", locale))}</li>
        <li>{span.kind.toLowerCase()}</li>
        {span.critical ? <li>{say.traces.critical}</li> : null}
      </ul>
      {span.status === "ERROR" ? (
        <p className={styles.failure}>
          {say.traces.failed} {span.status_message}
        </p>
      ) : null}
      <Ways row={row} />
      <Table name={say.traces.attributes} values={span.attributes} />
      {span.events.map((event) => (
        <Table
          key={`${event.time} ${event.name}`}
          name={`${event.name} (+${amount(precise(event.time) - precise(span.start), "ms", locale)})`}
          values={event.attributes}
        />
      ))}
      {lines.length > 0 ? (
        <>
          <h3>{say.signals.logs}</h3>
          <ol className={styles.lines}>
            {lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line may well be there twice
              <li key={index}>
                <LineRow line={line} find="" wrap />
              </li>
            ))}
          </ol>
        </>
      ) : null}
      {span.links.length > 0 ? (
        <>
          <h3>{say.traces.links}</h3>
          <ul>
            {span.links.map((link) => (
              <li key={link.trace_id + link.span_id}>
                <Link to={`/explore/traces/${link.trace_id}?span=${link.span_id}`}>{link.trace_id}</Link>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      <Table name={say.traces.resource} values={span.resource} />
    </section>
  );
}

/** To the release, the profile of the same process and time, and everything around the span. */
function Ways({ row: { span } }: { row: Row }) {
  const { say } = useWords();
  const service = serviceOf(span);
  const version = span.resource["service.version"];
  const matchers = [{ label: "service_name", operator: "=" as const, value: service }];
  if (version) matchers.push({ label: "service_version", operator: "=", value: version });
  const at = precise(span.start);
  const window = between({ from: at - 60_000, until: at + span.duration_ms + 60_000 });
  const query = new URLSearchParams({
    selector: formatSelector(matchers),
    start: window.start ?? "",
    end: window.end ?? "",
  });
  return (
    <p className={styles.ways}>
      <Link to={`/explore?${query}`}>{say.logs.around}</Link>
      <Link to={`/explore/profiles?${query}`}>{say.signals.profiles}</Link>
      {version ? <Link to={releasePath({ service, version })}>{say.logs.release(version)}</Link> : null}
    </p>
  );
}

function Table({ name, values }: { name: string; values: Record<string, unknown> }) {
  const pairs = Object.entries(values);
  if (pairs.length === 0) return null;
  return (
    <>
      <h3>{name}</h3>
      <dl>
        {pairs.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>
              <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
