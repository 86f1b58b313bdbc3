import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { useSearchParams } from "react-router";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./mesh.module.css";
import type { Explained, Mesh } from "./model";
import { percent } from "./percent";

const FIELDS = ["from", "to", "method", "path", "header"] as const;

/** One request explained: where splits send it, and whether it gets in there. The question is in the address. */
export function ExplainPanel({ mesh }: { mesh: Mesh }) {
  const { say } = useWords();
  const accounts = useId();
  const services = useId();
  const [search, setSearch] = useSearchParams();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const next = new URLSearchParams(search);
    for (const name of FIELDS) {
      const value = String(given.get(name) ?? "").trim();
      if (value === "") next.delete(name);
      else next.set(name, value);
    }
    setSearch(next, { replace: true });
  };
  const known = new Set(mesh.access.flatMap(({ from }) => from.map(({ name }) => name)));
  const field = (name: (typeof FIELDS)[number], more: object) => (
    <label>
      <span>{say.mesh.fields[name]}</span>
      <input
        name={name}
        defaultValue={search.get(name) ?? ""}
        autoComplete="off"
        spellCheck={false}
        {...more}
      />
    </label>
  );
  return (
    <Panel title={say.mesh.explain} lead={say.mesh.explainLead}>
      <form className={styles.asking} onSubmit={submit} aria-label={say.mesh.explain}>
        {field("from", { required: true, list: accounts, placeholder: "shop/web" })}
        {field("to", { required: true, list: services, placeholder: "shop/checkout" })}
        {field("method", { placeholder: "GET" })}
        {field("path", { placeholder: "/" })}
        {field("header", { placeholder: "name:value" })}
        <Button type="submit">{say.mesh.ask}</Button>
        <datalist id={accounts}>
          {[...known].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <datalist id={services}>
          {mesh.services.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </form>
      {search.get("from") && search.get("to") ? <Asked search={search} /> : null}
    </Panel>
  );
}

function Asked({ search }: { search: URLSearchParams }) {
  const { say } = useWords();
  const parameters = Object.fromEntries(FIELDS.map((name) => [name, search.get(name)]));
  const asked = questions.explained(apiPath("/api/mesh/explain", parameters));
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {(explained) => <Told of={explained} />}
    </Answer>
  );
}

function Told({ of }: { of: Explained }) {
  const { locale, say } = useWords();
  return (
    <>
      <p>{of.split ? say.mesh.bySplit(of.split) : say.mesh.bySelf}</p>
      <ul className={styles.told} aria-label={say.mesh.whereItGoes}>
        {of.backends.map((backend) => (
          <li key={`${backend.service} ${backend.account}`}>
            <strong>{percent(backend.percent, locale)}</strong> {backend.service}
            <span className={styles.state} data-allowed={String(backend.allowed)}>
              {backend.allowed === null ? "?" : backend.allowed ? "✓" : "✗"}{" "}
              {backend.allowed === null
                ? say.mesh.mayBe
                : backend.allowed
                  ? say.mesh.allowed
                  : say.mesh.refused}
            </span>
            <Saying className="small soft" text={backend.why} />
          </li>
        ))}
      </ul>
    </>
  );
}
