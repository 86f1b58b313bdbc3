import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useNavigate } from "react-router";
import { questions } from "../api/questions";
import type { DiffFrame } from "../api/wire";
import { Answer } from "../controls/Answer";
import { FlameGraph } from "../flamegraph/FlameGraph";
import { layFlames } from "../flamegraph/layout";
import { type Selection, sameSelection } from "../selection/useSelection";
import { useWords } from "../words";

/** A flame graph of which each frame leads to its function. */
export default function SmallFlames({ path, selection }: { path: string; selection: Selection }) {
  const { say } = useWords();
  const asked = questions.flame(path);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.profiles.asking}>
      {(flame) => <Graph root={flame.root} unit={flame.unit} selection={selection} />}
    </Answer>
  );
}

function Graph({ root, unit, selection }: { root: DiffFrame; unit: string; selection: Selection }) {
  const { say } = useWords();
  const navigate = useNavigate();
  const layout = useMemo(() => layFlames(root), [root]);
  const open = (index: number) => {
    const name = layout.frames[index]?.name;
    const to = index === 0 || !name ? {} : { view: "sandwich", function: name };
    navigate(sameSelection(selection.search, "/explore/profiles", to));
  };
  return (
    <FlameGraph
      layout={layout}
      unit={unit}
      label={say.flameGraph}
      zoomed={0}
      matches={null}
      single
      onZoom={open}
    />
  );
}
