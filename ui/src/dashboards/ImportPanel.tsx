import { useState } from "react";
import { Button } from "../controls/Button";
import { Panel } from "../controls/Panel";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { BoardView } from "./BoardView";
import styles from "./dashboards.module.css";
import { Lost } from "./Lost";
import { type Opened, opened } from "./opening";

/** Opens a dashboard from a file: ours or Grafana's. What is good is saved as a file for the folder. */
export function ImportPanel() {
  const { say } = useWords();
  const selection = useSelection();
  const [found, setFound] = useState<Opened | null>(null);
  const read = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      setFound(opened(JSON.parse(await file.text())));
    } catch {
      setFound({ dashboard: null, lost: [], fault: say.dashboards.noJson(file.name) });
    }
  };
  const dashboard = found?.dashboard ?? null;
  return (
    <>
      <Panel title={say.dashboards.importTitle} lead={say.dashboards.importLead}>
        <label className={styles.file}>
          {say.dashboards.file}
          <input
            type="file"
            accept=".json,application/json"
            onChange={(event) => read(event.target.files?.[0])}
          />
        </label>
        {found?.fault ? (
          <p role="alert" className={styles.bad}>
            {found.fault}
          </p>
        ) : null}
        {dashboard ? (
          <>
            <p role="status">{say.dashboards.taken(dashboard.title, dashboard.panels.length)}</p>
            <Lost lost={found?.lost ?? []} />
            <Button onClick={() => save(dashboard.title, JSON.stringify(dashboard, null, 2))}>
              {say.dashboards.save}
            </Button>
          </>
        ) : null}
      </Panel>
      {dashboard ? <BoardView dashboard={dashboard} selection={selection} /> : null}
    </>
  );
}

function save(title: string, text: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${title.replace(/[^\w.-]+/g, "-").toLowerCase()}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}
