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
const ExplorePage = onDemand(async () => (await import("../explore/ExplorePage")).ExplorePage);
const MetricsPage = onDemand(async () => (await import("../metrics/MetricsPage")).MetricsPage);
const LogsPage = onDemand(async () => (await import("../logs/LogsPage")).LogsPage);
const TracesPage = onDemand(async () => (await import("../traces/TracesPage")).TracesPage);
const TracePage = onDemand(async () => (await import("../traces/TracePage")).TracePage);
const ProfilesPage = onDemand(async () => (await import("../profiles/ProfilesPage")).ProfilesPage);
const DashboardsPage = onDemand(async () => (await import("../dashboards/DashboardsPage")).DashboardsPage);
const BuiltInPage = onDemand(async () => (await import("../dashboards/DashboardPage")).BuiltInPage);
const OwnPage = onDemand(async () => (await import("../dashboards/DashboardPage")).OwnPage);
const HazardsPage = onDemand(async () => (await import("../hazards/HazardsPage")).HazardsPage);
const WhyPage = onDemand(async () => (await import("../release/WhyPage")).WhyPage);
const RolloutsPage = onDemand(async () => (await import("../rollouts/RolloutsPage")).RolloutsPage);
const RolloutPage = onDemand(async () => (await import("../rollouts/RolloutPage")).RolloutPage);
const DeliveryPage = onDemand(async () => (await import("../delivery/DeliveryPage")).DeliveryPage);
const PullPage = onDemand(async () => (await import("../delivery/PullPage")).PullPage);
const RunPage = onDemand(async () => (await import("../delivery/RunPage")).RunPage);
const MeshPage = onDemand(async () => (await import("../mesh/MeshPage")).MeshPage);
const SettingsPage = onDemand(async () => (await import("../settings/SettingsPage")).SettingsPage);

export const PLACES: readonly Place[] = [
  { path: "/", page: ReleasesPage },
  { path: "/releases", page: ReleasesPage },
  { path: "/releases/:service/:version", page: ReleasePage },
  { path: "/why", page: WhyPage },
  { path: "/rollouts", page: RolloutsPage },
  { path: "/rollouts/:rollout", page: RolloutPage },
  { path: "/delivery", page: DeliveryPage },
  { path: "/delivery/environments", page: DeliveryPage },
  { path: "/delivery/pulls", page: DeliveryPage },
  { path: "/delivery/pulls/:owner/:name/:number", page: PullPage },
  { path: "/delivery/runs/:run", page: RunPage },
  { path: "/mesh", page: MeshPage },
  { path: "/hazards", page: HazardsPage },
  { path: "/explore", page: ExplorePage },
  { path: "/explore/metrics", page: MetricsPage },
  { path: "/explore/logs", page: LogsPage },
  { path: "/explore/traces", page: TracesPage },
  { path: "/explore/traces/:trace", page: TracePage },
  { path: "/explore/profiles", page: ProfilesPage },
  { path: "/dashboards", page: DashboardsPage },
  { path: "/dashboards/:name", page: BuiltInPage },
  { path: "/dashboards/own/:name", page: OwnPage },
  { path: "/settings", page: SettingsPage },
];

export const SECTIONS: readonly Section[] = [
  { path: "/", key: "r", word: (say) => say.releases },
  { path: "/rollouts", key: "o", word: (say) => say.rollouts.title },
  { path: "/delivery", key: "v", word: (say) => say.delivery.title },
  { path: "/mesh", key: "x", word: (say) => say.mesh.title },
  { path: "/hazards", key: "h", word: (say) => say.hazards.title },
  { path: "/explore", key: "e", word: (say) => say.explore.title },
  { path: "/explore/metrics", key: "m", word: (say) => say.signals.metrics },
  { path: "/explore/logs", key: "l", word: (say) => say.signals.logs },
  { path: "/explore/traces", key: "t", word: (say) => say.signals.traces },
  { path: "/explore/profiles", key: "p", word: (say) => say.signals.profiles },
  { path: "/dashboards", key: "d", word: (say) => say.dashboards.title },
  { path: "/settings", key: "s", word: (say) => say.settings.title },
];
