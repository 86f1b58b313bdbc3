import type { FormEvent } from "react";
import { useSearchParams } from "react-router";
import { apiPath } from "../api/client";
import { useTitle } from "../app/title";
import { Button } from "../controls/Button";
import { parseClock } from "../format/clocktimes";
import { useWords } from "../words";
import styles from "./release.module.css";
import { Why } from "./Verdict";

const AROUND = ["5m", "15m", "1h", "4h"] as const;

/** What changed at a time: a service before and after it, told like a verdict. The question is in the address. */
export function WhyPage() {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const service = search.get("service") ?? "";
  const at = search.get("at") ?? "";
  const around = search.get("around") ?? "15m";
  useTitle(say.around.why);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const asked = Object.fromEntries([...given].map(([name, value]) => [name, String(value).trim()]));
    // A clock time is the person's own, and means the same to whom the link is sent.
    const clock = parseClock(asked.at ?? "", Date.now());
    setSearch(clock === null ? asked : { ...asked, at: new Date(clock).toISOString() });
  };
  return (
    <>
      <h1>{say.around.why}</h1>
      <p className="soft">{say.around.whyLead}</p>
      <form className={styles.asking} onSubmit={submit} aria-label={say.around.why} key={search.toString()}>
        <label>
          <span>{say.selection.service}</span>
          <input name="service" defaultValue={service} required spellCheck={false} autoComplete="off" />
        </label>
        <label>
          <span>{say.around.at}</span>
          <input name="at" defaultValue={at} required placeholder="20m, 14:05, yesterday 14:00" />
        </label>
        <label>
          <span>{say.around.howLong}</span>
          <select name="around" defaultValue={around}>
            {AROUND.map((value) => (
              <option key={value}>{value}</option>
            ))}
          </select>
        </label>
        <Button type="submit">{say.around.ask}</Button>
      </form>
      {service && at ? <Why path={apiPath("/api/why", { service, at, around })} /> : null}
    </>
  );
}
