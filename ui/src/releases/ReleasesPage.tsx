import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import {
  changeReleasesAddress,
  type ReleasesAddress,
  rangeStart,
  readReleasesAddress,
} from "../address/releases";
import { questions } from "../api/questions";
import type { Release } from "../api/wire";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Button } from "../controls/Button";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import { Filters } from "./Filters";
import { GettingStarted } from "./GettingStarted";
import { countJudgements, groupByService, isWanted, withoutRuns } from "./grouping";
import styles from "./releases.module.css";
import { ServiceCard } from "./ServiceCard";
import { TimeAxis } from "./TimeLine";
import { spanOf } from "./timeline";

/** Home: services and their versions on one time line, each with its verdict. Looks again by itself. */
export function ReleasesPage() {
  const { say } = useWords();
  useTitle(say.releases);
  const asked = questions.releases();
  const question = useQuery(asked);
  const now = question.dataUpdatedAt;
  return (
    <>
      <header className={styles.head}>
        <h1>{say.releases}</h1>
        <p className="soft small">{say.releasesLead}</p>
        {now > 0 ? (
          <p className={styles.updated} data-stale={question.isError || undefined}>
            {question.isError ? `${say.stale} ` : null}
            {say.updated} <Instant at={new Date(now).toISOString()} now={now} />
          </p>
        ) : null}
      </header>
      <Answer question={question} queryKey={asked.queryKey} what={say.asking.releases}>
        {(known) => {
          const releases = withoutRuns(known);
          return releases.length === 0 ? <GettingStarted /> : <Board releases={releases} now={now} />;
        }}
      </Answer>
    </>
  );
}

function Board({ releases, now }: { releases: Release[]; now: number }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const address = readReleasesAddress(search);
  const change = (part: Partial<ReleasesAddress>) =>
    setSearch((before) => changeReleasesAddress(before, part), { replace: true });
  const wanted = releases.filter((release) => isWanted(release, address, now));
  const counted = releases.filter((release) => isWanted(release, { ...address, verdict: "all" }, now));
  const span = spanOf(wanted, rangeStart(address.last, now), now);
  return (
    <>
      <Filters address={address} counts={countJudgements(counted)} onChange={change} />
      {wanted.length === 0 ? (
        <p role="status">
          {say.noneMatch} <Button onClick={() => setSearch({})}>{say.showAll}</Button>
        </p>
      ) : (
        <div className={styles.board}>
          <TimeAxis span={span} now={now} />
          {groupByService(wanted).map((group) => (
            <ServiceCard key={group.service} group={group} span={span} now={now} />
          ))}
        </div>
      )}
    </>
  );
}
