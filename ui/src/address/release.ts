/** What the address of a release's page says. A link is a finding: all that is shown follows from it. */
export interface ReleaseAddress {
  baseline: string | null;
  start: string | null;
  end: string | null;
  /** The number of a verdict that was given: it is shown as it was, and nothing is judged again. */
  verdict: string | null;
  /** The profile's type, such as "cpu". */
  profile: string | null;
  view: "graph" | "table";
  /** The frame that the flame graph is zoomed to (see `frameKey`). */
  frame: string | null;
  /** What is searched for in the flame graph. */
  find: string;
}

export function readReleaseAddress(search: URLSearchParams): ReleaseAddress {
  const text = (name: string) => search.get(name) || null;
  return {
    baseline: text("baseline"),
    start: text("start"),
    end: text("end"),
    verdict: /^\d+$/.test(search.get("verdict") ?? "") ? text("verdict") : null,
    profile: text("profile"),
    view: search.get("view") === "table" ? "table" : "graph",
    frame: text("frame"),
    find: search.get("find") ?? "",
  };
}

/** The same address with some of it changed; what is empty or the default is left out. */
export function changeReleaseAddress(
  search: URLSearchParams,
  change: Partial<ReleaseAddress>,
): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change)) {
    if (value && !(name === "view" && value === "graph")) next.set(name, value);
    else next.delete(name);
  }
  return next;
}

/** The path of a release's page. The server's own link is taken when it leads to our pages. */
export function releasePath(
  release: { service: string; version: string; previous?: string | null },
  link: string | null = null,
): string {
  if (link?.startsWith("/releases/")) return link;
  const path = `/releases/${encodeURIComponent(release.service)}/${encodeURIComponent(release.version)}`;
  return release.previous ? `${path}?${new URLSearchParams({ baseline: release.previous })}` : path;
}
