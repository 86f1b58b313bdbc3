import type { CSSProperties } from "react";
import { Panel } from "../controls/Panel";
import { TimeControl } from "../selection/TimeControl";
import type { Selection } from "../selection/useSelection";
import { ChartPanel } from "./ChartPanel";
import styles from "./dashboards.module.css";
import type { Chosen } from "./filling";
import { HeatmapPanel } from "./HeatmapPanel";
import { LinesPanel } from "./LinesPanel";
import type { Dashboard } from "./model";
import type { PanelProps } from "./panel";
import { ValuesPanel } from "./ValuesPanel";
import { VariableChoice } from "./VariableChoice";

/** A dashboard's variables, time range and panels. What is chosen is in the address, as Grafana writes it. */
export function BoardView({ dashboard, selection }: { dashboard: Dashboard; selection: Selection }) {
  const { search } = selection;
  const variables = dashboard.variables ?? [];
  const chosen: Chosen = Object.fromEntries(
    variables.map(({ name, value }) => {
      const given = search.getAll(`var-${name}`).filter(Boolean);
      return [name, given.length > 0 ? given : value ? [value] : []];
    }),
  );
  return (
    <>
      <search className={styles.bar}>
        {variables.map((variable) => (
          <VariableChoice
            key={variable.name}
            variable={variable}
            selection={selection}
            chosen={chosen}
            value={chosen[variable.name]?.[0] ?? ""}
          />
        ))}
        <TimeControl selection={selection} />
      </search>
      <div className={styles.grid}>
        {dashboard.panels.map((panel, index) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: two panels may have the same title
            key={`${index} ${panel.title}`}
            style={{ "--columns": `span ${Math.min(12, Math.max(2, panel.width ?? 6))}` } as CSSProperties}
          >
            <Panel title={panel.title}>
              <Body panel={panel} selection={selection} chosen={chosen} />
            </Panel>
          </div>
        ))}
      </div>
    </>
  );
}

function Body(props: PanelProps) {
  switch (props.panel.type) {
    case "timeseries":
      return <ChartPanel {...props} />;
    case "stat":
    case "table":
      return <ValuesPanel {...props} />;
    case "logs":
      return <LinesPanel {...props} />;
    case "heatmap":
      return <HeatmapPanel {...props} />;
  }
}
