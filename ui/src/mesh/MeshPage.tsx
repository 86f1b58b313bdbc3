import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Choice } from "../controls/Choice";
import { Copyable } from "../controls/Copyable";
import { Panel } from "../controls/Panel";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import { AccessTable } from "./AccessTable";
import { ExplainPanel } from "./ExplainPanel";
import { Findings } from "./Findings";
import { MeshGraphPanel } from "./MeshGraphPanel";
import styles from "./mesh.module.css";
import type { Mesh } from "./model";
import { Splits } from "./Splits";

const RANGES = ["5m", "30m", "2h"] as const;

/** The Service Mesh Interface's resources, held against the traffic that was measured. */
export function MeshPage() {
  const { say } = useWords();
  useTitle(say.mesh.title);
  const [search] = useSearchParams();
  const asked = questions.mesh(
    apiPath("/api/mesh", { since: search.get("since"), namespace: search.get("namespace") }),
  );
  const question = useQuery(asked);
  return (
    <>
      <h1>{say.mesh.title}</h1>
      <p className={styles.lead}>{say.mesh.lead}</p>
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(mesh) =>
          mesh.source === null ? (
            <Panel title={say.mesh.none} lead={say.mesh.noneLead}>
              <Copyable
                text={"PILOTHOUSE_MESH_CONFIG=smi/ pilothouse up\npilothouse up --kube --mesh istio"}
              />
            </Panel>
          ) : (
            <Shown mesh={mesh} />
          )
        }
      </Answer>
    </>
  );
}

function Shown({ mesh }: { mesh: Mesh }) {
  const { say } = useWords();
  const { source, window } = mesh;
  return (
    <>
      <Narrowing mesh={mesh} />
      <p className="small soft">
        {say.mesh.from(source.name)}{" "}
        {window.measured_by.length > 0
          ? say.mesh.measuredBy(window.measured_by.join(", "))
          : say.mesh.unmeasured}
      </p>
      {[...source.problems, ...(window.problem ? [window.problem] : [])].map((text) => (
        <p key={text} className={styles.problem}>
          <Saying text={text} />
        </p>
      ))}
      <MeshGraphPanel mesh={mesh} />
      <Splits splits={mesh.splits} />
      <ExplainPanel mesh={mesh} />
      <AccessTable access={mesh.access} />
      <Findings findings={mesh.findings} />
    </>
  );
}

/** How far back is measured, and of which namespace; in the address. */
function Narrowing({ mesh }: { mesh: Mesh }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    setSearch(next, { replace: true });
  };
  return (
    <div className={styles.tools}>
      <Choice
        label={say.mesh.since}
        value={search.get("since") ?? "5m"}
        options={RANGES.map((value) => ({ value, text: value }))}
        onChange={(value) => change("since", value === "5m" ? "" : value)}
      />
      <label className="small">
        {say.mesh.namespace}{" "}
        <select
          value={search.get("namespace") ?? ""}
          onChange={(event) => change("namespace", event.target.value)}
        >
          <option value="">{say.all}</option>
          {mesh.namespaces.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </div>
  );
}
