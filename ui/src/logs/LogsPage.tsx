import { useCallback, useState } from "react";
import { useTitle } from "../app/title";
import { Button } from "../controls/Button";
import { Choice } from "../controls/Choice";
import { DeferredField } from "../controls/DeferredField";
import { SearchField } from "../controls/SearchField";
import { AskDifferent } from "../explore/AskDifferent";
import { SelectionBar } from "../selection/SelectionBar";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { LINE_LIMITS, type LogsAddress, readLogsAddress } from "./address";
import { type LineQuestion, logql, SEVERITIES } from "./asking";
import { Fields } from "./Fields";
import { LiveLines } from "./LiveLines";
import styles from "./logs.module.css";
import { Patterns } from "./Patterns";
import { PriceLine } from "./PriceLine";
import { StoredLines } from "./StoredLines";
import { Volume } from "./Volume";

/** Logs: how many there were, the lines themselves, their shapes and fields; or as they come. */
export function LogsPage() {
  const { say } = useWords();
  useTitle(say.signals.logs);
  const selection = useSelection();
  const address = readLogsAddress(selection.search);
  const [live, setLive] = useState(false);
  const question: LineQuestion = { selector: selection.selector, ...address };
  const change = (part: Partial<Record<keyof LogsAddress, string>>) => selection.change(part);
  const find = useCallback((text: string) => selection.change({ find: text }, true), [selection.change]);
  const views = (["lines", "patterns", "fields"] as const).map((value) => ({
    value,
    text: say.logs.views[value],
  }));
  const severities = [
    { value: "", text: say.all },
    ...SEVERITIES.map((value) => ({ value: value as string, text: say.logs.levels[value] })),
  ];
  return (
    <>
      <h1 className="hidden">{say.signals.logs}</h1>
      <SelectionBar selection={selection} />
      <div className={styles.tools}>
        <SearchField label={say.logs.find} value={address.find} onChange={(text) => change({ find: text })} />
        <Choice
          label={say.logs.severity}
          value={address.severity}
          options={severities}
          onChange={(severity) => change({ severity })}
        />
        <DeferredField
          label={say.logs.pipeline}
          placeholder="| json | status >= 500"
          value={address.pipeline}
          onChange={(pipeline) => change({ pipeline })}
        />
        {address.trace ? (
          <Button onClick={() => change({ trace: "" })} aria-label={say.logs.everyTrace}>
            {say.traces.trace(address.trace.slice(0, 8))} ×
          </Button>
        ) : null}
        <button type="button" className={styles.live} aria-pressed={live} onClick={() => setLive(!live)}>
          <i aria-hidden="true" /> {say.logs.live}
        </button>
      </div>
      {live ? (
        <LiveLines query={logql(question)} find={address.find} onFind={find} />
      ) : (
        <>
          <Volume question={question} selection={selection} />
          <div className={styles.views}>
            <Choice
              label={say.view}
              value={address.view}
              options={views}
              onChange={(view) => change({ view })}
            />
            {address.view === "lines" ? (
              <label className={styles.limit}>
                {say.logs.most}
                <select value={address.limit} onChange={(event) => change({ limit: event.target.value })}>
                  {LINE_LIMITS.map((limit) => (
                    <option key={limit} value={limit}>
                      {limit.toLocaleString()}
                    </option>
                  ))}
                </select>
              </label>
            ) : null}
            {address.find || address.severity ? (
              <AskDifferent
                search={selection.search}
                these={{ about: "lines", find: address.find, severity: address.severity }}
              />
            ) : null}
            <PriceLine question={question} selection={selection} />
          </div>
          {address.view === "lines" ? (
            <StoredLines question={question} selection={selection} limit={address.limit} onFind={find} />
          ) : address.view === "patterns" ? (
            <Patterns question={question} selection={selection} />
          ) : (
            <Fields question={question} selection={selection} />
          )}
        </>
      )}
    </>
  );
}
