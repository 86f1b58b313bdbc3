/** What runs where, and what is on its way: `/api/environments`, `/api/promotions`. */

export type StandingState = "in sync" | "drifted" | "rolling out" | "silent" | "unknown";
export type PromotionState =
  | "opening"
  | "open"
  | "merged"
  | "rolling_out"
  | "deployed"
  | "rolled_back"
  | "closed"
  | "superseded"
  | "failed";

export interface Promotion {
  id: number;
  service: string;
  version: string;
  before: string;
  environment: string;
  kind: "promotion" | "rollback";
  state: PromotionState;
  reason: string;
  by: string;
  pull_request: { repository: string; number: number; url: string } | null;
  commit: string;
  rollout: number | null;
  report: string;
  approved_by: string;
  blocked: string;
  created: string;
  updated: string;
}

export interface Standing {
  service: string;
  environment: string;
  declared: string;
  running: { version: string; instances: number }[];
  state: StandingState;
  words: string;
  problem: string;
  promotion: Promotion | null;
}

export interface Environment {
  name: string;
  strategy: "Auto" | "Manual" | "Never";
  source: string;
  rollout: boolean;
  problem: string;
  services: Standing[];
}

/** `file` is null where the server promotes nothing. */
export interface Environments {
  file: string | null;
  environments: Environment[];
}

/** What a promotion would change: `GET /api/environments/{environment}/change`. */
export interface PlannedChange {
  before: string;
  version: string;
  files: string[];
  difference: string;
  objects: number;
  problems: string[];
  hazards: {
    summary: string;
    blocking: boolean;
    new: { rule: string; severity: string; subject: string; message: string }[];
  };
}

export interface Question {
  service: string;
  version: string;
  to: string;
}

const ONGOING: readonly PromotionState[] = ["opening", "open", "merged", "rolling_out"];

export const goesOn = ({ state }: Promotion): boolean => ONGOING.includes(state);

/** All services of all environments, each with how it stands in each of them. */
export function boardOf(environments: readonly Environment[]) {
  const services = [...new Set(environments.flatMap((one) => one.services.map(({ service }) => service)))];
  return services.sort().map((service) => ({
    service,
    standings: environments.map((one) => one.services.find((known) => known.service === service) ?? null),
  }));
}

/**
 * Where a version that runs here would go next, and may: the next environment with the service whose strategy is not
 * Never, unless that declares this version already or is on its way to it.
 */
export function nextOf(environments: readonly Environment[], at: number, service: string): string | null {
  const standingIn = (one: Environment | undefined) =>
    one?.services.find((known) => known.service === service);
  const version = standingIn(environments[at])?.declared;
  const next = environments.slice(at + 1).find(standingIn);
  const there = standingIn(next);
  if (next === undefined || there === undefined || next.strategy === "Never") return null;
  const coming = there.promotion && goesOn(there.promotion) ? there.promotion.version : null;
  return there.declared === version || coming === version ? null : next.name;
}
