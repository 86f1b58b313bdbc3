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
import { useOlder } from "../controls/useOlder";
import { useSome } from "../controls/useSome";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import { Filters } from "./Filters";
import { GettingStarted } from "./GettingStarted";
import { countJudgements, groupByService, isWanted, withoutRuns } from "./grouping";
import styles from "./releases.module.css";
import { ServiceCard } from "./ServiceCard";
import { TimeAxis } from "./TimeLine";
import { spanOf } from "./timeline";

/** So many releases are asked for at first, and at the most. */
const [FIRST, MOST] = [200, 10_000];

/** Home: services and their versions on one time line, each with its verdict. Looks again by itself. */
export function ReleasesPage() {
  const { say } = useWords();
  useTitle(say.releases);
  const [search] = useSearchParams();
  const { limit, older } = useOlder(FIRST, MOST);
  const asked = questions.releases();
  const newest = useQuery(asked);
  // What is looked for by name may well be older than what is shown without being asked.
  const wanted = search.get("find") ? MOST : limit;
  const full = (newest.data?.length ?? 0) >= FIRST;
  const whole = useQuery({ ...questions.releases(wanted ?? FIRST), enabled: full && wanted !== undefined });
  const question = whole.data === undefined ? newest : whole;
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
          if (releases.length === 0) return <GettingStarted />;
          return (
            <>
              <Board releases={releases} now={now} />
              {older(known.length)}
            </>
          );
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
  const { data: rollouts = [] } = useQuery(questions.rollouts());
  const ongoing = rollouts.filter(({ ended }) => ended === null);
  const services = useSome(groupByService(wanted), 50);
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
          {services.some.map((group) => (
            <ServiceCard
              key={group.service}
              group={group}
              span={span}
              now={now}
              rollouts={ongoing.filter(({ service }) => service === group.service)}
            />
          ))}
          {services.more}
        </div>
      )}
    </>
  );
}
