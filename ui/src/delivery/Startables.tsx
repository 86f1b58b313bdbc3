import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { post } from "../api/client";
import { Button } from "../controls/Button";
import { Panel } from "../controls/Panel";
import { Problem } from "../controls/Problem";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { type Startable, valueText } from "./model";

/** What the server's directory has, each with a way to start it. */
export function Startables({ directory, pipelines }: { directory: string; pipelines: Startable[] }) {
  const { say } = useWords();
  return (
    <Panel title={say.delivery.startable} lead={say.delivery.startableLead(directory)}>
      {pipelines.length === 0 ? <p className="soft">{say.delivery.nothingStartable}</p> : null}
      <ul className={styles.startables} aria-label={say.delivery.startable}>
        {pipelines.map((one) => (
          <li key={`${one.kind} ${one.name}`}>
            <One of={one} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function One({ of }: { of: Startable }) {
  const { say } = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const start = useMutation({
    mutationFn: (params: Record<string, unknown>) =>
      post<{ run: string }>("/api/pipelines/runs", { name: of.name, params }),
    onSuccess: ({ run }) => {
      client.invalidateQueries({ queryKey: ["get"] });
      navigate(`/delivery/runs/${encodeURIComponent(run)}`);
    },
  });
  return (
    <>
      <header>
        <strong>{of.name}</strong>
        <span className="soft small">
          {of.kind} · {say.delivery.tasks(of.tasks)}
        </span>
        <Button
          disabled={start.isPending}
          onClick={() => (of.params.length > 0 ? setOpen(!open) : start.mutate({}))}
        >
          <span className="hidden">{say.delivery.startOne(of.name)}</span>
          <span aria-hidden="true">
            {say.delivery.start}
            {of.params.length > 0 ? "…" : ""}
          </span>
        </Button>
      </header>
      {of.description ? <p className="small">{of.description}</p> : null}
      {open ? <Parameters of={of} start={start.mutate} busy={start.isPending} /> : null}
      {start.error ? <Problem problem={start.error} /> : null}
    </>
  );
}

interface FormProps {
  of: Startable;
  start: (params: Record<string, unknown>) => void;
  busy: boolean;
}

/** A field a parameter, with its default. What is no text is written as JSON. */
function Parameters({ of, start, busy }: FormProps) {
  const { say } = useWords();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const params = of.params.map(({ name, type }) => [name, givenAs(String(given.get(name) ?? ""), type)]);
    start(Object.fromEntries(params.filter(([, value]) => value !== undefined)));
  };
  return (
    <form className={styles.params} onSubmit={submit} aria-label={say.delivery.startWith(of.name)}>
      {of.params.map(({ name, type, description, default: usual }) => (
        <label key={name}>
          <span>
            {name} {type === "string" ? null : <small>({type}, JSON)</small>}
          </span>
          <input
            name={name}
            defaultValue={usual === null || usual === undefined ? "" : valueText(usual)}
            required={usual === null || usual === undefined}
            autoComplete="off"
            spellCheck={false}
          />
          {description ? <small>{description}</small> : null}
        </label>
      ))}
      <Button type="submit" disabled={busy}>
        {say.delivery.start}
      </Button>
    </form>
  );
}

/** An array or object that is no JSON goes as it is: the server says what is wrong with it. */
function givenAs(text: string, type: string): unknown {
  if (type === "string") return text;
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
