import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Copyable } from "../controls/Copyable";
import { Difference } from "../controls/Difference";
import { useWords } from "../words";
import styles from "./hazards.module.css";
import type { HazardFinding } from "./model";

/** What would change in the object, asked for when it is opened. */
export function Fix({ finding }: { finding: HazardFinding }) {
  const { say } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.fix} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary aria-label={say.hazards.fix(finding.subject)}>{say.hazards.showFix}</summary>
      {open ? <Change finding={finding} /> : null}
    </details>
  );
}

function Change({ finding }: { finding: HazardFinding }) {
  const { say } = useWords();
  const asked = questions.hazardFix(finding.fingerprint);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.working}>
      {(fix) => (
        <>
          {fix.safe ? null : <p className="soft">{say.hazards.fixUnsafe}</p>}
          <Difference label={say.hazards.fix(finding.subject)} text={fix.diff} />
          {fix.command ? (
            <>
              <p className="soft">{say.hazards.fixCommand}</p>
              <Copyable text={fix.command} />
            </>
          ) : null}
        </>
      )}
    </Answer>
  );
}
