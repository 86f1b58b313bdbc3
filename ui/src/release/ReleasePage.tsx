import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useParams, useSearchParams } from "react-router";
import { readReleaseAddress, releasePath } from "../address/release";
import { questions } from "../api/questions";
import type { Release } from "../api/wire";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { useWords } from "../words";
import { BaselineChoice } from "./BaselineChoice";
import { baselineFor, versionsBeside } from "./baseline";
import { NoBaseline } from "./NoBaseline";
import { Objectives } from "./Objectives";
import { Origin } from "./Origin";
import styles from "./release.module.css";
import { ServiceHazards } from "./ServiceHazards";
import { Verdict } from "./Verdict";

/** One release compared with another: the story first, then its evidence. */
export function ReleasePage() {
  const { say } = useWords();
  const { service = "", version = "" } = useParams();
  const [search] = useSearchParams();
  const { baseline: asked, start, end, verdict } = readReleaseAddress(search);
  useTitle(`${service} ${version}`);
  // A link with a baseline says all that the verdict needs; the list of releases only offers others.
  const list = questions.releases();
  const releases = useQuery(list);
  const chosen = asked ?? (releases.data ? baselineFor(releases.data, service, version) : null);
  const found = releases.data?.find((one) => one.service === service && one.version === version) ?? null;
  // Where nothing is asked for, a rollout's verdict stands: asked again by chance, it may look otherwise.
  if (search.size === 0 && found?.verdict?.rollout) {
    return <Navigate to={releasePath(found, found.verdict.page)} replace />;
  }
  return (
    <>
      <header className={styles.head}>
        <nav aria-label={say.releases}>
          <Link to="/">{say.releases}</Link> /{" "}
          <Link to={`/?${new URLSearchParams({ find: service })}`}>{service}</Link> /
        </nav>
        <h1>
          {service} <span className={styles.version}>{version}</span>
        </h1>
        <Link className={styles.toWhy} to={`/why?${new URLSearchParams({ service, at: "15m" })}`}>
          {say.around.why}
        </Link>
        {chosen === null ? null : (
          <BaselineChoice
            chosen={chosen}
            others={versionsBeside(releases.data ?? [], service, version, chosen)}
          />
        )}
      </header>
      {chosen === null ? (
        <Answer question={releases} queryKey={list.queryKey} what={say.asking.releases}>
          {(all) => <NoBaseline service={service} version={version} known={knows(all, service, version)} />}
        </Answer>
      ) : (
        <Verdict question={{ service, candidate: version, baseline: chosen, start, end }} given={verdict} />
      )}
      {releases.data === undefined ? null : (
        <div className={styles.around}>
          <Origin release={found} service={service} version={version} />
          <Objectives service={service} />
          <ServiceHazards service={service} />
        </div>
      )}
    </>
  );
}

function knows(releases: Release[], service: string, version: string): boolean {
  return releases.some((release) => release.service === service && release.version === version);
}
