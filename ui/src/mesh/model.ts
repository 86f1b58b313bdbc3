import type { Box } from "../graphs/layered";
import type { Parts } from "../words/telling";

export type SplitState = "honoured" | "not honoured" | "too little traffic" | "no traffic" | "cannot tell";

/** What was measured of a backend, in percent of the split's requests; the interval's confidence is 99.9 %. */
export interface Share {
  requests: number;
  failed: number;
  percent: number | null;
  low: number | null;
  high: number | null;
  honoured: boolean | null;
}

export interface Backend {
  service: string;
  weight: number;
  percent: number;
  known: boolean;
  measured: Share | null;
}

export interface Split {
  name: string;
  service: string;
  matches: string[];
  used: boolean;
  state: SplitState;
  why: string;
  said?: Parts | null;
  seconds: number | null;
  requests: number | null;
  backends: Backend[];
}

export interface Access {
  name: string;
  from: { kind: string; name: string }[];
  to: { kind: string; name: string; services: string[] };
  rules: {
    kind: string;
    name: string;
    matches: { name: string; path: string; methods: string[]; headers: Record<string, string> }[];
    ports: number[];
  }[];
}

export interface Call {
  from: string;
  to: string;
  mesh: string;
  requests: number;
  failed: number;
  latency_ms: Record<string, number>;
  allowed: boolean | null;
}

export interface MeshFinding {
  level: "error" | "loss" | "warning";
  code: string;
  subject: string;
  field: string;
  message: string;
  /** What the message was made of, where it tells that. */
  said?: Parts | null;
  place: string | null;
}

export interface MeshSource {
  kind: string;
  name: string;
  mesh: string | null;
  problems: string[];
}

/** `GET /api/mesh` where there is one. */
export interface Mesh {
  source: MeshSource;
  window: { seconds: number; measured_by: string[]; problem: string | null };
  namespaces: string[];
  totals: Record<string, number>;
  services: { name: string; accounts: string[] }[];
  splits: Split[];
  access: Access[];
  calls: Call[];
  findings: MeshFinding[];
}

/** `GET /api/mesh` where nothing is configured. */
export interface NoMesh {
  source: null;
  hint: string;
}

export interface Explained {
  split: string | null;
  match: string | null;
  backends: {
    service: string;
    percent: number;
    account: string | null;
    allowed: boolean | null;
    why: string;
    by: string[];
  }[];
}

export type View = "traffic" | "access";

/** An arrow of the graph. */
export interface MeshArrow {
  from: string;
  to: string;
  kind: "split" | "call" | "access";
  /** Not as it should be: a share that is not honoured, a call that nothing allows, one that fails. */
  bad: boolean;
  requests: number;
  split?: { asked: number; measured: number | null };
  failed?: number;
}

/** More of a graph than this is a tangle: the lists below have all of it. */
export const MOST_ARROWS = 150;

/** Splits and measured calls, or who may call what. A call along a split is said by the split's own arrow. */
export function arrowsOf(mesh: Mesh, view: View): MeshArrow[] {
  if (view === "access") {
    return unique(
      mesh.access.flatMap(({ from, to }) =>
        from.flatMap((source) =>
          (to.services.length > 0 ? to.services : [to.name]).map((service) =>
            arrow(source.name, service, "access"),
          ),
        ),
      ),
    );
  }
  const splits = mesh.splits.flatMap((split) =>
    split.backends.map(({ service, percent, measured }) => ({
      ...arrow(split.service, service, "split"),
      bad: measured?.honoured === false,
      requests: measured?.requests ?? 0,
      split: { asked: percent, measured: measured?.percent ?? null },
    })),
  );
  const calls = mesh.calls.map((call) => ({
    ...arrow(call.from, call.to, "call"),
    bad: call.allowed === false || call.failed / Math.max(call.requests, 1) > 0.01,
    requests: call.requests,
    failed: call.failed,
  }));
  return unique([...splits, ...calls.sort((a, b) => b.requests - a.requests)]);
}

function arrow(from: string, to: string, kind: MeshArrow["kind"]): MeshArrow {
  return { from, to, kind, bad: false, requests: 0 };
}

/** One arrow between two, and none from a thing to itself: a split may send to its own Service. */
function unique(arrows: MeshArrow[]): MeshArrow[] {
  const seen = new Map<string, MeshArrow>();
  for (const one of arrows) {
    const key = `${one.from}\n${one.to}`;
    if (one.from !== one.to && !seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()].slice(0, MOST_ARROWS);
}

/** The boxes at the ends of arrows, and Services that nothing leads to. */
export function boxesOf(mesh: Mesh, arrows: readonly MeshArrow[]): Box[] {
  const services = mesh.services.slice(0, MOST_ARROWS).map(({ name }) => name);
  const names = new Set([...arrows.flatMap(({ from, to }) => [from, to]), ...services]);
  return [...names].map((id) => ({
    id,
    width: Math.min(240, Math.max(120, 30 + id.length * 7.6)),
    height: 42,
  }));
}

/** The rules of a target in short: methods and paths, or ports. */
export function ruleText(rule: Access["rules"][number]): string {
  const matches = rule.matches.map(({ methods, path, headers }) => {
    const told = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return [methods.join(", "), path, ...told].filter(Boolean).join(" ");
  });
  const parts =
    rule.ports.length > 0 ? [`${rule.kind.replace("Route", "")} ${rule.ports.join(", ")}`] : matches;
  return parts.length > 0 ? parts.join("; ") : `${rule.kind} ${rule.name}`;
}
