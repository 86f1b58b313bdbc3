import { releasePath } from "../address/release";
import type { Service } from "../api/signals";
import type { Release } from "../api/wire";
import { SECTIONS } from "../app/sections";
import { formatSelector } from "../selection/selector";
import type { Catalogue } from "../words/en";

/** One thing that the palette can do: go somewhere. */
export interface Command {
  id: string;
  group: "page" | "service" | "release" | "other";
  /** What kind of thing it is, in a word. */
  kind: string;
  text: string;
  to: string;
}

/** Everything there is to go to. */
export function commandsOf(
  say: Catalogue,
  services: readonly Service[],
  releases: readonly Release[],
): Command[] {
  const of = (service: string) =>
    new URLSearchParams({
      selector: formatSelector([{ label: "service_name", operator: "=", value: service }]),
    });
  return [
    ...SECTIONS.map(({ path, word }) => ({
      id: path,
      group: "page" as const,
      kind: say.palette.page,
      text: word(say),
      to: path,
    })),
    ...services.map(({ name }) => ({
      id: `service ${name}`,
      group: "service" as const,
      kind: say.selection.service,
      text: name,
      to: `/explore?${of(name)}`,
    })),
    ...releases.map((release) => ({
      id: `release ${release.service} ${release.version}`,
      group: "release" as const,
      kind: say.palette.release,
      text: `${release.service} ${release.version}`,
      to: releasePath(release, release.verdict?.page),
    })),
  ];
}

/** So many are shown; and so many releases and services before anything is typed. */
const MOST = 12;
const MOST_UNTYPED = 5;

/** Before anything is typed: the newest releases, which is where most people go, every page, and some services. */
function untyped(commands: readonly Command[]): Command[] {
  const of = (group: Command["group"]) => commands.filter((command) => command.group === group);
  return [...of("release").slice(0, MOST_UNTYPED), ...of("page"), ...of("service").slice(0, MOST_UNTYPED)];
}

/**
 * What fits a text: a trace id goes to its trace; else each word must be there, and what begins with the text comes
 * first. Whatever was typed can also be looked for in the logs.
 */
export function fitting(commands: readonly Command[], text: string, say: Catalogue): Command[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return untyped(commands);
  if (/^[0-9a-f]{32}$/.test(wanted)) {
    return [
      { id: wanted, group: "other", kind: say.palette.trace, text: wanted, to: `/explore/traces/${wanted}` },
    ];
  }
  const words = wanted.split(/\s+/);
  const found = commands.filter((command) => {
    const all = `${command.kind} ${command.text}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const first = (command: Command) => (command.text.toLowerCase().startsWith(wanted) ? 0 : 1);
  const lines: Command = {
    id: "lines",
    group: "other",
    kind: say.signals.logs,
    text: say.palette.inLogs(text.trim()),
    to: `/explore/logs?${new URLSearchParams({ find: text.trim() })}`,
  };
  return [...found.sort((a, b) => first(a) - first(b)).slice(0, MOST), lines];
}
