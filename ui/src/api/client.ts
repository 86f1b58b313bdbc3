import { ApiProblem, problemFrom } from "./problem";
import type { Comparison, Durations, ProfileDiff, ProfileTypes, Release, SeriesAnswer, Status } from "./wire";

export type Parameters = Record<string, string | null | undefined>;

/** `/api/x?a=1`, leaving out what is null, undefined or empty. */
export function apiPath(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Where our own server answers: its own API, and those whose languages people know. */
const OURS = ["/api/", "/prometheus/api/", "/loki/api/", "/tempo/api/", "/pyroscope/", "/metrics"];

/** An address from an answer is followed only when it stays inside our own APIs. */
export function insideApi(path: string): boolean {
  try {
    const url = new URL(path, "http://pilothouse.invalid");
    const { origin, pathname } = url;
    return origin === "http://pilothouse.invalid" && OURS.some((prefix) => pathname.startsWith(prefix));
  } catch {
    return false;
  }
}

/** One GET. Throws ApiProblem, or the AbortError of `signal`. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await open(path, signal);
  const body = await response.text();
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new ApiProblem("not_json", `The answer of ${path} is not JSON.`, response.status);
  }
}

/** The text of an answer that is no JSON. Throws ApiProblem, or the AbortError of `signal`. */
export const openText = async (path: string, signal?: AbortSignal): Promise<string> =>
  (await open(path, signal)).text();

/** One POST of a JSON object. Throws ApiProblem. */
export async function post<T>(path: string, body: object): Promise<T> {
  if (!insideApi(path)) throw new ApiProblem("bad_request", `${path} is not one of our calls.`, 0);
  let response: Response;
  try {
    const headers = { accept: "application/json", "content-type": "application/json" };
    response = known(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
  } catch {
    throw new ApiProblem("unreachable", "The server cannot be reached.", 0);
  }
  const said = await response.text();
  if (!response.ok) throw problemFrom(response.status, said, response.headers.get("retry-after"));
  return JSON.parse(said) as T;
}

/** The response itself, for answers that come in pieces. Throws ApiProblem, or the AbortError of `signal`. */
export async function open(path: string, signal?: AbortSignal): Promise<Response> {
  if (!insideApi(path)) throw new ApiProblem("bad_request", `${path} is not one of our calls.`, 0);
  const response = await reach(path, signal);
  if (response.ok) return response;
  throw problemFrom(response.status, await response.text(), response.headers.get("retry-after"));
}

/** Who is not known goes where they can say who they are, and comes back here. */
function known(response: Response): Response {
  if (response.status === 401) {
    const here = location.pathname + location.search;
    location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
  }
  return response;
}

declare global {
  /** What was asked before the page's own code was there (`public/assets/early.js`): each answer once. */
  var earlyAnswers: Map<string, Promise<Response>> | undefined;
}

async function reach(path: string, signal?: AbortSignal): Promise<Response> {
  const early = globalThis.earlyAnswers?.get(path);
  globalThis.earlyAnswers?.delete(path);
  try {
    if (early !== undefined) return known(await early);
    return known(await fetch(path, { headers: { accept: "application/json" }, signal: signal ?? null }));
  } catch (reason) {
    if (signal?.aborted) throw reason;
    throw new ApiProblem("unreachable", "The server cannot be reached.", 0);
  }
}

export interface CompareQuestion {
  service: string;
  baseline: string;
  candidate: string;
  start?: string | null;
  end?: string | null;
}

export const api = {
  status: (signal?: AbortSignal) => get<Status>("/api/status", signal),
  releases: async (limit?: number, signal?: AbortSignal) =>
    (await get<{ releases: Release[] }>(apiPath("/api/releases", { limit: limit?.toString() }), signal))
      .releases,
  compare: (question: CompareQuestion, signal?: AbortSignal) =>
    get<Comparison>(apiPath("/api/compare", { ...question }), signal),
  comparison: (path: string, signal?: AbortSignal) => get<Comparison>(path, signal),
  series: (path: string, signal?: AbortSignal) => get<SeriesAnswer>(path, signal),
  durations: (path: string, signal?: AbortSignal) => get<Durations>(path, signal),
  profileTypes: (path: string, signal?: AbortSignal) => get<ProfileTypes>(path, signal),
  profileDiff: (path: string, signal?: AbortSignal) => get<ProfileDiff>(path, signal),
};
