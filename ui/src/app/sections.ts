import { type ComponentType, lazy } from "react";
import { ReleasesPage } from "../releases/ReleasesPage";
import type { Catalogue } from "../words/en";

/** A page of ours: where it is, and what draws it. Only the home page is in the first load. */
export interface Place {
  path: string;
  page: ComponentType;
}

/** A place in the navigation, with the key that leads there after "g". */
export interface Section {
  path: string;
  key: string;
  word: (say: Catalogue) => string;
}

const onDemand = (load: () => Promise<ComponentType>) =>
  lazy(() => load().then((page) => ({ default: page })));

const ReleasePage = onDemand(async () => (await import("../release/ReleasePage")).ReleasePage);
const MetricsPage = onDemand(async () => (await import("../metrics/MetricsPage")).MetricsPage);
const LogsPage = onDemand(async () => (await import("../logs/LogsPage")).LogsPage);

export const PLACES: readonly Place[] = [
  { path: "/", page: ReleasesPage },
  { path: "/releases", page: ReleasesPage },
  { path: "/releases/:service/:version", page: ReleasePage },
  { path: "/explore/metrics", page: MetricsPage },
  { path: "/explore/logs", page: LogsPage },
];

export const SECTIONS: readonly Section[] = [
  { path: "/", key: "r", word: (say) => say.releases },
  { path: "/explore/metrics", key: "m", word: (say) => say.signals.metrics },
  { path: "/explore/logs", key: "l", word: (say) => say.signals.logs },
];
