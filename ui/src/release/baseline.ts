import type { Release } from "../api/wire";

/** What a release is compared with when nobody said: the version before it, else the newest other one, else null. */
export function baselineFor(releases: readonly Release[], service: string, version: string): string | null {
  const known = releases.find((release) => release.service === service && release.version === version);
  if (known === undefined) return null;
  return known.previous ?? versionsBeside(releases, service, version)[0] ?? null;
}

/** The other versions of a service, in the order given (newest first), with the chosen one among them. */
export function versionsBeside(
  releases: readonly Release[],
  service: string,
  version: string,
  chosen?: string,
): string[] {
  const others = releases
    .filter((release) => release.service === service && release.version !== version)
    .map((release) => release.version);
  return chosen === undefined || others.includes(chosen) ? others : [chosen, ...others];
}
