import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { post } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Difference } from "../controls/Difference";
import { Panel } from "../controls/Panel";
import { Problem } from "../controls/Problem";
import { SeverityMark } from "../hazards/Found";
import { RuleMessage } from "../hazards/RuleMessage";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./delivery.module.css";
import { boardOf, type Environment, type PlannedChange, type Promotion, type Question } from "./promoting";

interface Props {
  environments: Environment[];
  question: Question;
  choose: (question: Question | null) => void;
}

/** Asks what a promotion would change, shows it as a diff with its hazards, and then asks for it. */
export function PromotePanel({ environments, question, choose }: Props) {
  const { say } = useWords();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    choose({ service: text("service"), version: text("version"), to: text("to") });
  };
  return (
    <Panel title={say.promoting.promote} lead={say.promoting.promoteLead}>
      <form className={styles.params} onSubmit={submit} aria-label={say.promoting.promote}>
        <label>
          <span>{say.selection.service}</span>
          <select name="service" defaultValue={question.service}>
            {boardOf(environments).map(({ service }) => (
              <option key={service}>{service}</option>
            ))}
          </select>
        </label>
        <label>
          <span>{say.version}</span>
          <input
            name="version"
            defaultValue={question.version}
            required
            spellCheck={false}
            autoComplete="off"
          />
        </label>
        <label>
          <span>{say.promoting.to}</span>
          <select name="to" defaultValue={question.to}>
            {environments
              .filter(({ strategy }) => strategy !== "Never")
              .map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
          </select>
        </label>
        <Button type="submit">{say.promoting.preview}</Button>
      </form>
      {question.service && question.version && question.to ? (
        <Previewed question={question} done={() => choose(null)} />
      ) : null}
    </Panel>
  );
}

function Previewed({ question, done }: { question: Question; done: () => void }) {
  const { say } = useWords();
  const asked = questions.plannedChange(question);
  const answer = useQuery(asked);
  return (
    <Answer question={answer} queryKey={asked.queryKey} what={say.working}>
      {(change) => <Planned change={change} question={question} done={done} />}
    </Answer>
  );
}

function Planned({
  change,
  question,
  done,
}: {
  change: PlannedChange;
  question: Question;
  done: () => void;
}) {
  const { say } = useWords();
  const client = useQueryClient();
  const ask = useMutation({
    mutationFn: () => post<Promotion>("/api/promotions", { ...question, by: "page" }),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: ["get"] });
      done();
    },
  });
  return (
    <section className={styles.task} aria-label={say.promoting.wouldChange}>
      <header>
        <h3>{say.promoting.fromTo(question.to, change.before || "–", change.version)}</h3>
        <Button disabled={ask.isPending || change.hazards.blocking} onClick={() => ask.mutate()}>
          {say.promoting.ask}
        </Button>
      </header>
      {ask.error ? <Problem problem={ask.error} /> : null}
      {change.problems.map((text) => (
        <p key={text} className={styles.bad}>
          <Saying text={text} />
        </p>
      ))}
      <p className="small">
        <Saying text={change.hazards.summary} />
      </p>
      <ul className={styles.running}>
        {change.hazards.new.map((one) => (
          <li key={`${one.rule} ${one.subject} ${one.message}`}>
            <SeverityMark of={one.severity} /> {one.subject}: <RuleMessage of={{ ...one, title: "" }} />
          </li>
        ))}
      </ul>
      {change.difference ? (
        <Difference label={say.promoting.wouldChange} text={change.difference} />
      ) : (
        <p className="soft">{say.promoting.nothing}</p>
      )}
    </section>
  );
}
