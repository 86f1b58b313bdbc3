import type { ReleasesAddress } from "../address/releases";
import { rangeStart } from "../address/releases";
import type { Release } from "../api/wire";
import { milliseconds } from "../format/instants";
import type { Judgement } from "../verdict/VerdictBadge";

/** A service with the releases of it that are shown, newest first. */
export interface ServiceReleases {
  service: string;
  releases: Release[];
}

export function judgementOf(release: Release): Judgement {
  return release.verdict?.verdict ?? "not_judged";
}

/** Runs of pipelines send telemetry like services do, but nobody releases them: they are under Delivery. */
export function withoutRuns(releases: readonly Release[]): Release[] {
  return releases.filter((release) => !release.service.startsWith("pipeline/"));
}

/** Whether a release is among what the address asks for. */
export function isWanted(release: Release, address: ReleasesAddress, now: number): boolean {
  const from = rangeStart(address.last, now);
  if (from !== null && (milliseconds(release.last_seen) ?? 0) < from) return false;
  if (address.verdict !== "all" && judgementOf(release) !== address.verdict) return false;
  const words = address.find.toLowerCase().split(/\s+/).filter(Boolean);
  const text = `${release.service} ${release.version}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** By service; first the service whose newest release is the newest. Keeps the releases' order otherwise. */
export function groupByService(releases: readonly Release[]): ServiceReleases[] {
  const newest = [...releases].sort((a, b) => firstSeen(b) - firstSeen(a));
  const groups = Map.groupBy(newest, (release) => release.service);
  return [...groups].map(([service, ofService]) => ({ service, releases: ofService }));
}

/** How many releases have each verdict. */
export function countJudgements(releases: readonly Release[]): Record<Judgement, number> {
  const counts: Record<Judgement, number> = { worse: 0, no_worse: 0, cannot_tell: 0, not_judged: 0 };
  for (const release of releases) counts[judgementOf(release)] += 1;
  return counts;
}

function firstSeen(release: Release): number {
  return milliseconds(release.first_seen) ?? 0;
}
