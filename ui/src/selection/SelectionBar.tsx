import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useState } from "react";
import { questions } from "../api/questions";
import { Button } from "../controls/Button";
import { NameChoice } from "../controls/NameChoice";
import { useWords } from "../words";
import styles from "./selection.module.css";
import { normal, parseSelector, valueIn, withValue } from "./selector";
import { TimeControl } from "./TimeControl";
import type { Selection } from "./useSelection";

/** Who and when, for every page about signals: service and version by name, any label as text, a time range. */
export function SelectionBar({ selection, children }: { selection: Selection; children?: ReactNode }) {
  return (
    <search className={styles.bar}>
      <Who selection={selection} />
      {children}
      <TimeControl selection={selection} />
    </search>
  );
}

function Who({ selection: { selector, setSelector } }: { selection: Selection }) {
  const { say } = useWords();
  const { data: services = [] } = useQuery(questions.services());
  const service = valueIn(selector, "service_name");
  const version = valueIn(selector, "service_version");
  const versions = services.find((one) => one.name === service)?.versions ?? [];
  const choose = (label: string, value: string) => {
    const plain = label === "service_name" ? withValue(selector, "service_version", null) : selector;
    setSelector(withValue(plain, label, value || null));
  };
  return (
    <>
      <NameChoice
        className={styles.pick}
        label={say.selection.service}
        any={say.selection.anyService}
        value={service ?? ""}
        values={services.map((one) => one.name)}
        onChange={(value) => choose("service_name", value)}
      />
      {service ? (
        <NameChoice
          className={styles.pick}
          label={say.selection.version}
          any={say.selection.anyVersion}
          value={version ?? ""}
          values={versions.map((one) => one.version)}
          onChange={(value) => choose("service_version", value)}
        />
      ) : null}
      <SelectorField value={selector} onChange={setSelector} />
    </>
  );
}

/** Any labels, as text; taken over with Enter or when it is left. */
function SelectorField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { say } = useWords();
  const [text, setText] = useState(value);
  const problem = useId();
  useEffect(() => setText(value), [value]);
  const broken = parseSelector(text) === null;
  const take = () => {
    if (text !== value && !broken) onChange(text.trim());
  };
  const names = [...new Set((parseSelector(value) ?? []).map((one) => normal(one.label)))];
  return (
    <span className={styles.field}>
      <input
        className={styles.selector}
        aria-label={say.selection.labels}
        placeholder={say.selection.example}
        title={names.join(", ")}
        value={text}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={broken}
        aria-describedby={broken ? problem : undefined}
        onChange={(event) => setText(event.target.value)}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === "Enter") take();
          else if (event.key === "Escape") setText(value);
        }}
      />
      {value ? (
        <Button quiet className={styles.clear} aria-label={say.selection.clear} onClick={() => onChange("")}>
          ×
        </Button>
      ) : null}
      {broken ? (
        <span id={problem} className={styles.wrong}>
          {say.selection.malformed}
        </span>
      ) : null}
    </span>
  );
}
