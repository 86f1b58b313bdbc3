import { useState } from "react";
import { Link } from "react-router";
import { releasePath } from "../address/release";
import { between } from "../address/window";
import { Button } from "../controls/Button";
import { Instant } from "../format/Instant";
import { milliseconds } from "../format/instants";
import { adding } from "../selection/selector";
import { type Selection, sameSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { Context } from "./Context";
import { Highlight } from "./Highlight";
import { type LogLine, traceOf } from "./line";
import styles from "./logs.module.css";

interface Props {
  line: LogLine;
  selection: Selection;
  find: string;
  onFind: (text: string) => void;
  close: () => void;
}

/** One line whole: its text, its labels (each can be asked for), and the ways to the other signals. */
export function LineDetails({ line, selection, find, onFind, close }: Props) {
  const { say } = useWords();
  const [context, setContext] = useState(false);
  const groups = [
    { name: say.logs.stream, labels: line.stream, stream: true },
    { name: say.logs.metadata, labels: line.metadata, stream: false },
    { name: say.logs.parsed, labels: line.parsed, stream: false },
  ];
  const narrow = (label: string, value: string) =>
    selection.setSelector(adding(selection.selector, { label, operator: "=", value }));
  return (
    <section className={styles.details} aria-label={say.logs.details}>
      <header>
        <Instant at={line.time} now={Date.now()} />
        <Ways line={line} selection={selection} />
        <Button onClick={() => setContext(!context)} aria-expanded={context}>
          {say.logs.context}
        </Button>
        <Button quiet onClick={close} aria-label={say.close}>
          ×
        </Button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <pre tabIndex={0} className={styles.whole}>
        <Highlight text={pretty(line.line)} find={find} most={200_000} />
      </pre>
      {context ? <Context line={line} find={find} /> : null}
      {groups.map(({ name, labels, stream }) =>
        Object.keys(labels).length === 0 ? null : (
          <div key={name}>
            <h3>{name}</h3>
            <dl>
              {Object.entries(labels).map(([label, value]) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd>
                    <code>{value}</code>
                    <button
                      type="button"
                      onClick={() => (stream ? narrow(label, value) : onFind(value))}
                      aria-label={say.logs.only(`${label}=${value}`)}
                      title={say.logs.only(`${label}=${value}`)}
                    >
                      +
                    </button>
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        ),
      )}
    </section>
  );
}

/** From a line to its trace, its release, and everything around it. */
function Ways({ line, selection }: { line: LogLine; selection: Selection }) {
  const { say } = useWords();
  const trace = traceOf(line);
  const at = milliseconds(line.time) ?? Date.now();
  const around = between({ from: at - 60_000, until: at + 60_000 });
  const { service_name: service, service_version: version } = line.stream;
  return (
    <>
      {trace ? (
        <Link to={`/explore/traces/${trace}${line.metadata.span_id ? `?span=${line.metadata.span_id}` : ""}`}>
          {say.logs.trace}
        </Link>
      ) : null}
      <Link to={sameSelection(selection.search, "/explore", { ...around })}>{say.logs.around}</Link>
      {service && version ? (
        <Link to={releasePath({ service, version })}>{say.logs.release(version)}</Link>
      ) : null}
    </>
  );
}

/** JSON on several lines; what is none stays as it is. */
export function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
