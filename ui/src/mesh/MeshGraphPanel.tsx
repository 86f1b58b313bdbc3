import { lazy, Suspense } from "react";
import { useSearchParams } from "react-router";
import { Choice } from "../controls/Choice";
import { Panel } from "../controls/Panel";
import { Progress } from "../controls/Progress";
import { useWords } from "../words";
import type { Mesh, View } from "./model";

const MeshGraph = lazy(() => import("./MeshGraph"));

/** The mesh as a graph, of traffic or of access. */
export function MeshGraphPanel({ mesh }: { mesh: Mesh }) {
  const { say } = useWords();
  const [search, setSearch] = useSearchParams();
  const view: View = search.get("show") === "access" ? "access" : "traffic";
  const show = (chosen: View) => {
    const next = new URLSearchParams(search);
    if (chosen === "access") next.set("show", chosen);
    else next.delete("show");
    setSearch(next, { replace: true });
  };
  return (
    <Panel
      title={say.mesh.graph}
      lead={view === "access" ? say.mesh.accessLead : say.mesh.trafficLead}
      aside={
        <Choice
          label={say.mesh.show}
          value={view}
          options={[
            { value: "traffic", text: say.mesh.traffic },
            { value: "access", text: say.mesh.access },
          ]}
          onChange={show}
        />
      }
    >
      <Suspense fallback={<Progress what={say.working} />}>
        <MeshGraph mesh={mesh} view={view} />
      </Suspense>
    </Panel>
  );
}
