import type { Direction, SignalName, SignalState } from "../api/wire";
import { around } from "./en/around";
import { dashboards } from "./en/dashboards";
import { delivery } from "./en/delivery";
import { explore } from "./en/explore";
import { hazards } from "./en/hazards";
import { logs } from "./en/logs";
import { mesh } from "./en/mesh";
import { metrics } from "./en/metrics";
import { ownMetrics } from "./en/ownMetrics";
import { profiles } from "./en/profiles";
import { promoting } from "./en/promoting";
import { pulls } from "./en/pulls";
import { causes, rollouts } from "./en/rollouts";
import { selection } from "./en/selection";
import { palette, settings } from "./en/settings";
import { tokens } from "./en/tokens";
import { traces } from "./en/traces";

const plural = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** Every word of the page, in English. A message with parts is a function, so that they are checked. */
export const en = {
  /** The server's own templates in another language (`telling.tsx`): English is what it says itself. */
  sentences: {} as Readonly<Partial<Record<string, string>>>,
  /** A measure of the judge: "duration p95", "lines per request". */
  measure: (measure: string): string => measure,
  name: "Pilothouse",
  selection,
  logs,
  metrics,
  traces,
  profiles,
  explore,
  dashboards,
  ownMetrics,
  rollouts,
  delivery,
  pulls,
  promoting,
  around,
  mesh,
  hazards,
  causes,
  settings,
  tokens,
  palette,
  skip: "Skip to the content",
  sections: "Sections",
  preferences: "Preferences",
  language: "Language",
  theme: "Colours",
  themes: { auto: "As the system", light: "Light", dark: "Dark" },
  keys: "Keyboard shortcuts",
  keyList: {
    search: "Search on this page",
    help: "Show these shortcuts",
    palette: "Go to anything by its name",
    close: "Close",
  },
  goTo: (place: string) => `Go to ${place}`,
  close: "Close",

  releases: "Releases",
  releasesLead: "Every version that was seen, newest first, and whether it is worse than the one before.",
  filterServices: "Find a service or version",
  onlyVerdict: "Show verdicts",
  all: "All",
  versions: (n: number) => plural(n, "version", "versions"),
  instances: (n: number) => plural(n, "instance", "instances"),
  timeLineOf: (service: string) => `Time line of ${service}`,
  releasesOf: (service: string) => `Releases of ${service}`,
  firstSeen: "first seen",
  lastSeen: "last seen",
  running: "running",
  decidedBy: (rollout: number) => `decided rollout ${rollout}`,
  askedSince: (verdict: string) => `asked since: ${verdict}`,
  comparedWith: (version: string) => `compared with ${version}`,
  firstVersion: "The first version seen: there is none before it to compare with.",
  notAsked: "Nobody has asked for a verdict yet. Open it to compare it with the version before.",
  older: (n: number) => `Show ${plural(n, "older version", "older versions")}`,
  fewer: "Show fewer",
  noneMatch: "No release matches.",
  showAll: "Show all",
  updated: "Updated",
  now: "now",

  nothingYet: "No telemetry has arrived yet",
  nothingYetLead:
    "Point an OpenTelemetry SDK or collector at this server. A release appears as soon as a service says its name and version.",
  endpoints: {
    otlp_grpc: "OTLP over gRPC",
    otlp_http: "OTLP over HTTP",
    pyroscope: "Profiles (pprof, Pyroscope)",
  },
  example: "For example, in the service's environment:",
  copy: "Copy",
  copied: "Copied",

  verdicts: {
    worse: "Worse",
    no_worse: "No worse",
    cannot_tell: "Cannot tell",
    not_judged: "Not judged",
  },
  headline: {
    worse: (service: string, candidate: string, baseline: string) =>
      `${service} ${candidate} is worse than ${baseline}`,
    no_worse: (service: string, candidate: string, baseline: string) =>
      `${service} ${candidate} is no worse than ${baseline}`,
    cannot_tell: (service: string, candidate: string, baseline: string) =>
      `Cannot tell whether ${service} ${candidate} is worse than ${baseline}`,
  },
  sure: (confidence: string) => `${confidence} sure`,
  /** Of "no worse": its margin is what the judge's rules call so. */
  sureNoWorse: (confidence: string) =>
    `${confidence} sure that nothing that matters most is worse by a quarter`,
  canary: "Canary",
  canaryLong: "Both versions ran at the same time.",
  subsets: "Two parts",
  subsetsLong: "Two parts of the same time, told apart by their labels.",
  migration: "Migration",
  migrationLong: "The old home of the service against the new one.",
  beforeAfter: "Before and after",
  beforeAfterLong: "One version ran after the other: what else changed in between counts too.",
  missing: "What is missing",
  worst: "What is worse",
  alsoBetter: "What is better",
  alsoMoved: "What moved, neither better nor worse",
  nothingWorse: "Nothing that was tested got worse.",
  moreFindings: (n: number) => `Show ${n} more`,
  changeScale: "Relative change, with the interval that it likely lies in",
  baseline: "Baseline",
  candidate: "Candidate",
  direction: { worse: "worse", better: "better", moved: "moved" } as Record<Direction, string>,
  showEvidence: "Show the evidence",

  window: "Time",
  judgedIn: (seconds: string) => `judged in ${seconds}`,
  compareWith: "Compare with",
  judgeAgain: "Judge again",
  noBaseline: (service: string, version: string) =>
    `${version} is the only version of ${service} that was seen, so there is nothing to compare it with.`,
  noBaselineDo: "Release another version, with its own service.version, and send telemetry from it.",
  unknownRelease: (service: string, version: string) => `No release ${version} of ${service} was seen.`,

  tested: "What was tested",
  testedLead: "Per signal: how much was looked at, and the smallest change that would have been noticed.",
  signal: "Signal",
  result: "Result",
  tests: "Tested",
  found: "Found",
  smallest: "Smallest visible change",
  note: "Note",
  signals: { metrics: "Metrics", traces: "Traces", logs: "Logs", profiles: "Profiles" } as Record<
    SignalName,
    string
  >,
  states: {
    worse: "Worse",
    no_worse: "No worse",
    cannot_tell: "Cannot tell",
    no_data: "No data",
  } as Record<SignalState, string>,

  evidence: "Evidence",
  flames: "Where the time and memory go",
  flamesLead: "Width: what both versions cost together. Colour: which of them costs more.",
  metricsMoved: "Metrics that moved",
  newPatterns: "New log patterns",
  slowed: "Operations that changed",
  noMetricsMoved: "No metric moved by more than chance would.",
  noNewPatterns: "No new log pattern, and none that became more frequent.",
  noneSlowed: "No operation became slower or fails more often.",
  noneOf: {
    metrics: "No metrics came from one of the two versions. Point the service's OpenTelemetry SDK here:",
    logs: "No logs came from one of the two versions. Point the service's OpenTelemetry SDK here:",
    traces: "No traces came from one of the two versions. Point the service's OpenTelemetry SDK here:",
    profiles:
      "No profiles came from one of the two versions. Run a continuous profiler in the service and point it here:",
  } as Record<SignalName, string>,
  notEnough: "There is too little data for a verdict here:",
  exampleLines: "Example lines",
  exampleTraces: "Example traces",
  also: "Also measured",
  isNew: "new",
  callsOf: (version: string, calls: string) => `${version}: ${calls} calls`,
  shareOfRequests: "Shares of each version's own calls.",
  duration: "Duration",
  numbers: "Numbers",
  mean: "Mean",
  least: "Least",
  most: "Most",
  latest: "Last",
  version: "Version",
  noCalls: "Neither version was called in this time.",
  notDrawn: (n: number) => `${plural(n, "more series is", "more series are")} not drawn.`,
  elapsed: "time since the version's first point in this window",

  flameGraph: "Flame graph",
  table: "Table",
  view: "View",
  findFunction: "Find a function",
  matched: (n: number, before: string, after: string) =>
    `${plural(n, "frame matches", "frames match")}: ${before} → ${after} of the total`,
  noMatch: "No frame matches.",
  wholeGraph: "Whole graph",
  flameHelp:
    "Arrow keys move between frames, Enter zooms in, Escape zooms out. The table has the same numbers.",
  costsLess: "costs less",
  costsMore: "costs more",
  same: "same",
  onlyBaseline: "only in the baseline",
  onlyCandidate: "only in the candidate",
  function: "Function",
  own: "Own",
  total: "With what it calls",
  difference: "Difference",
  profileTypes: {
    cpu: "CPU time",
    wall: "Wall time",
    alloc: "Allocated",
    alloc_space: "Allocated memory",
    alloc_objects: "Allocated objects",
    inuse_space: "Memory in use",
    inuse_objects: "Objects in use",
    mem: "Memory",
    memory: "Memory",
    lock: "Time waiting for locks",
    goroutine: "Goroutines",
  } as Record<string, string>,
  profileType: "Profile",
  sortBy: (column: string) => `Sort by ${column}`,
  more: (n: number) => `Show ${n} more`,
  newest: (n: number) => `The newest ${n.toLocaleString("en")} were asked for; there may be more.`,
  askOlder: "Ask for older ones",
  moreOf: (n: number, left: number) =>
    n === left
      ? `Show ${n.toLocaleString("en")} more`
      : `Show ${n.toLocaleString("en")} of ${left.toLocaleString("en")} more`,

  working: "Working",
  asking: { releases: "Looking for releases", compare: "Comparing the two versions", evidence: "Loading" },
  seconds: (n: string) => `${n} s`,
  stop: "Stop",
  stopped: "Stopped.",
  askAgain: "Ask again",
  tryAgain: "Try again",
  problem: "That did not work",
  unreachable: "The server does not answer. Is it running? Start it with “pilothouse up”.",
  about: (field: string) => `It is about “${field}”.`,
  broken: "This part of the page failed.",
  notFound: "There is no such page",
  notFoundDo: "Go to the releases",
  stale: "The server does not answer; this is what it said last.",
};

/** What a language must have: the same names, with messages of the same parts. */
export type Catalogue = typeof en;
