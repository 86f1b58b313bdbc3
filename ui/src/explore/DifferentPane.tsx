import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { instant } from "../address/window";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Choice } from "../controls/Choice";
import { DeferredField } from "../controls/DeferredField";
import { Panel } from "../controls/Panel";
import { share } from "../format/changes";
import { count } from "../format/units";
import { adding, normal } from "../selection/selector";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import styles from "./explore.module.css";
import type { Difference, Different } from "./model";

const ABOUT = ["slow", "failed", "lines"] as const;
type About = (typeof ABOUT)[number];
const SLOW = "100ms";

/** "What is different about these?": attributes that some spans or lines have more often than the rest. */
export function DifferentPane({ selection }: { selection: Selection }) {
  const { locale, say } = useWords();
  const { search, change } = selection;
  const about: About = ABOUT.find((one) => one === search.get("about")) ?? "failed";
  const asked = questions.different(differentPath(selection, about));
  const question = useQuery(asked);
  const field = (name: string, label: string, placeholder: string) => (
    <DeferredField
      label={label}
      placeholder={placeholder}
      value={search.get(name) ?? ""}
      onChange={(text) => change({ [name]: text })}
    />
  );
  const options = ABOUT.map((value) => ({
    value,
    text: value === "lines" && search.get("find") ? say.explore.linesWith : say.explore.about[value],
  }));
  return (
    <Panel
      title={say.explore.different}
      aside={
        <>
          <Choice
            label={say.explore.these}
            value={about}
            options={options}
            onChange={(next) => change({ about: next })}
          />
          {about === "slow" ? field("slow", say.traces.atLeast, SLOW) : null}
          {about === "lines"
            ? field("find", say.logs.find, say.logs.find)
            : field("operation", say.traces.operation, say.traces.operation)}
        </>
      }
    >
      <Answer question={question} queryKey={asked.queryKey} what={say.explore.comparing}>
        {(found) =>
          found.differences.length === 0 ? (
            <p className="soft">{found.inside === 0 ? say.explore.noneOfThese : say.explore.noDifference}</p>
          ) : (
            <>
              <p className="soft small">
                {say.explore.counted(count(found.inside, locale), count(found.outside, locale))}
              </p>
              <Ranked found={found} selection={selection} />
            </>
          )
        }
      </Answer>
    </Panel>
  );
}

/** Which are meant stands in the address by the names that the pages of traces and logs have for it. */
function differentPath({ selector, bounds, search }: Selection, about: About): string {
  const range = { start: instant(bounds.from), end: instant(bounds.until), limit: "12" };
  const operation = search.get("operation");
  const find = search.get("find");
  const chosen = {
    slow: { signal: "traces", min_duration: search.get("slow") || SLOW, operation },
    failed: { signal: "traces", errors: "1", operation },
    // Lines with a text are meant as they are; without one, those that are bad.
    lines: { signal: "logs", contains: find, severity: search.get("severity") || (find ? null : "error") },
  }[about];
  return apiPath("/api/correlate/different", { selector, ...chosen, ...range });
}

function Ranked({ found, selection }: { found: Different; selection: Selection }) {
  const { locale, say } = useWords();
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{say.explore.attribute}</th>
          <th scope="col">{say.explore.inside}</th>
          <th scope="col">{say.explore.outside}</th>
        </tr>
      </thead>
      <tbody>
        {found.differences.map((one) => (
          <tr key={`${one.of} ${one.attribute} ${one.value}`}>
            <td>
              <Name one={one} selection={selection} />
            </td>
            {one.value === undefined ? (
              <>
                <td>{one.median_inside?.toLocaleString(locale)}</td>
                <td>{one.median_outside?.toLocaleString(locale)}</td>
              </>
            ) : (
              <>
                <Part of={one.inside ?? 0} strong />
                <Part of={one.outside ?? 0} />
              </>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What is of a resource can be asked for in all four signals; what is of a span or line, in its own. */
function Name({ one, selection }: { one: Difference; selection: Selection }) {
  const { say } = useWords();
  const text = one.value === undefined ? one.attribute : `${one.attribute}=${one.value}`;
  if (one.of !== "resource" || one.value === undefined) return <code>{text}</code>;
  const matcher = { label: normal(one.attribute), operator: "=" as const, value: one.value };
  const next = new URLSearchParams(selection.search);
  next.set("selector", adding(selection.selector, matcher));
  return (
    <Link to={`/explore?${next}`} title={say.logs.only(text)}>
      <code>{text}</code>
    </Link>
  );
}

function Part({ of, strong = false }: { of: number; strong?: boolean }) {
  const { locale } = useWords();
  return (
    <td>
      <span className={styles.part} data-strong={strong || undefined}>
        <i style={{ width: `${of * 100}%` }} />
        {share(of, locale)}
      </span>
    </td>
  );
}
