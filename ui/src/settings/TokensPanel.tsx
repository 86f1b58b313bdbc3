import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { post } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { Problem } from "../controls/Problem";
import { useSome } from "../controls/useSome";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import styles from "./settings.module.css";
import { type MadeToken, SCOPES, type Token, type Tokens } from "./tokens";

/** Who may do what: the tokens there are, a new one, and taking one back. */
export function TokensPanel() {
  const { say } = useWords();
  const asked = questions.tokens();
  const question = useQuery(asked);
  return (
    <Panel title={say.tokens.title} lead={say.tokens.lead}>
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(known) => <Known known={known} />}
      </Answer>
    </Panel>
  );
}

function Known({ known }: { known: Tokens }) {
  const { say } = useWords();
  const { some, more } = useSome(known.tokens, 50);
  return (
    <>
      <p className="soft small">{known.required ? say.tokens.required : say.tokens.open}</p>
      {known.tokens.length === 0 ? (
        <p className="soft">{say.tokens.none}</p>
      ) : (
        <ul className={styles.tokens} aria-label={say.tokens.title}>
          {some.map((token) => (
            <li key={token.id}>
              <Row of={token} />
            </li>
          ))}
        </ul>
      )}
      {more}
      <NewToken />
    </>
  );
}

function Row({ of }: { of: Token }) {
  const { say } = useWords();
  const [sure, setSure] = useState(false);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => post("/api/tokens", { revoke: of.id }),
    onSettled: () => client.invalidateQueries({ queryKey: questions.tokens().queryKey }),
  });
  const now = Date.now();
  return (
    <>
      <span>
        <strong>{of.name}</strong> <code>{of.id}</code>
        <small className="soft">
          {of.scopes.map((scope) => say.tokens.scopes[scope] ?? scope).join(", ")}
          {of.tenant ? ` · ${of.tenant}` : ""} · <Instant at={of.created} now={now} relative />
          {of.expires === null ? null : (
            <>
              {" · "}
              {say.tokens.until} <Instant at={of.expires} now={now} />
            </>
          )}
        </small>
      </span>
      <Button onClick={() => (sure ? revoke.mutate() : setSure(true))} disabled={revoke.isPending}>
        {sure ? say.tokens.reallyRevoke(of.name) : say.tokens.revoke(of.name)}
      </Button>
      {revoke.error ? <Problem problem={revoke.error} /> : null}
    </>
  );
}

function NewToken() {
  const { say } = useWords();
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: (body: { name: string; scopes: string[]; expires_in?: string }) =>
      post<MadeToken>("/api/tokens", body),
    onSuccess: () => client.invalidateQueries({ queryKey: questions.tokens().queryKey }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const expires = String(given.get("expires") ?? "").trim();
    make.mutate({
      name: String(given.get("name")).trim(),
      scopes: [String(given.get("scope"))],
      ...(expires ? { expires_in: expires } : {}),
    });
  };
  return (
    <>
      <form className={styles.making} onSubmit={submit} aria-label={say.tokens.make}>
        <label>
          <span>{say.tokens.name}</span>
          <input name="name" required maxLength={255} autoComplete="off" spellCheck={false} />
        </label>
        <label>
          <span>{say.tokens.may}</span>
          <select name="scope" defaultValue="read">
            {SCOPES.map((scope) => (
              <option key={scope} value={scope}>
                {say.tokens.scopes[scope]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{say.tokens.goodFor}</span>
          <input name="expires" placeholder="90d" autoComplete="off" spellCheck={false} />
        </label>
        <Button type="submit" disabled={make.isPending}>
          {say.tokens.make}
        </Button>
      </form>
      {make.error ? <Problem problem={make.error} /> : null}
      {make.data ? (
        <section aria-label={say.tokens.once}>
          <p className="small">{say.tokens.once}</p>
          <Copyable text={make.data.token} />
        </section>
      ) : null}
    </>
  );
}
