import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { post } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Panel } from "../controls/Panel";
import { Problem } from "../controls/Problem";
import { Prose } from "../controls/Prose";
import { useOlder } from "../controls/useOlder";
import { useSome } from "../controls/useSome";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./delivery.module.css";
import { goesOn, type Promotion } from "./promoting";
import { pullPath } from "./pulling";

/** Every promotion, newest first, with why it is where it is and what a person can do. */
export function Promotions() {
  const { say } = useWords();
  const { limit, older } = useOlder(100, 1000);
  const asked = questions.promotions(limit);
  const question = useQuery(asked);
  return (
    <Panel title={say.promoting.promotions}>
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(promotions) =>
          promotions.length === 0 ? (
            <p className="soft">{say.promoting.noPromotions}</p>
          ) : (
            <>
              <Listed promotions={promotions} />
              {older(promotions.length)}
            </>
          )
        }
      </Answer>
    </Panel>
  );
}

function Listed({ promotions }: { promotions: Promotion[] }) {
  const { say } = useWords();
  const { some, more } = useSome(promotions, 50);
  return (
    <>
      <ul className={styles.startables} aria-label={say.promoting.promotions}>
        {some.map((one) => (
          <li key={one.id}>
            <One of={one} />
          </li>
        ))}
      </ul>
      {more}
    </>
  );
}

function One({ of }: { of: Promotion }) {
  const { say } = useWords();
  return (
    <>
      <header>
        <strong>
          {of.service} {of.before} → {of.version}
        </strong>
        <span>{of.environment}</span>
        <span className={styles.standing} data-state={of.state}>
          {say.promoting.progress[of.state] ?? of.state}
        </span>
        {of.kind === "rollback" ? <span className="small">{say.promoting.takenBack}</span> : null}
        <span className="soft small">
          <Instant at={of.created} now={Date.now()} relative /> · {of.by}
        </span>
        {of.pull_request ? (
          <Link to={pullPath(of.pull_request.repository, of.pull_request.number)}>
            {of.pull_request.repository}#{of.pull_request.number}
          </Link>
        ) : null}
        {of.rollout ? (
          <Link to={`/rollouts/${of.rollout}`}>{say.rollouts.one(String(of.rollout))}</Link>
        ) : null}
        {goesOn(of) ? <Acts of={of} /> : null}
      </header>
      {[of.reason, of.blocked].filter(Boolean).map((text) => (
        <p key={text} className="small">
          <Saying text={text} />
        </p>
      ))}
      {of.report ? (
        <div className="small" lang="en">
          <Prose text={of.report} />
        </div>
      ) : null}
    </>
  );
}

/** Approving wants a name: nobody approves what they asked for themselves. */
function Acts({ of }: { of: Promotion }) {
  const { say } = useWords();
  const client = useQueryClient();
  const [by, setBy] = useState("");
  const act = useMutation({
    mutationFn: (action: "approve" | "cancel") =>
      post(`/api/promotions/${of.id}`, { action, by: by.trim() || "page" }),
    onSettled: () => client.invalidateQueries({ queryKey: ["get"] }),
  });
  return (
    <span className={styles.acts}>
      <input
        aria-label={say.promoting.yourName}
        placeholder={say.promoting.yourName}
        value={by}
        onChange={(event) => setBy(event.target.value)}
      />
      <Button disabled={act.isPending || by.trim() === ""} onClick={() => act.mutate("approve")}>
        {say.promoting.approve}
      </Button>
      <Button disabled={act.isPending} onClick={() => act.mutate("cancel")}>
        {say.promoting.cancel}
      </Button>
      {act.error ? <Problem problem={act.error} /> : null}
    </span>
  );
}
