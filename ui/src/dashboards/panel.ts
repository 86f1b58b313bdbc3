import type { Selection } from "../selection/useSelection";
import type { Chosen } from "./filling";
import type { DashboardPanel } from "./model";

/** What each kind of panel is given: what it asks, for which time, with which variables. */
export interface PanelProps {
  panel: DashboardPanel;
  selection: Selection;
  chosen: Chosen;
}
