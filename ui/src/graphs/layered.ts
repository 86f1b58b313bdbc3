import { Graph, layout } from "@dagrejs/dagre";

/** A graph laid out in layers from left to right. Sizes in pixels; a node's `x` and `y` are its middle. */
export interface LaidGraph {
  width: number;
  height: number;
  nodes: Map<string, { x: number; y: number; width: number; height: number }>;
  edges: { from: string; to: string; points: Point[]; label: Point }[];
}

interface Point {
  x: number;
  y: number;
}

/** Pixels between boxes of a layer, between layers, and kept free for what stands on an edge. */
export interface Room {
  between: number;
  layers: number;
  label?: number;
}

export interface Box {
  id: string;
  width: number;
  height: number;
}

/** Layers after Gansner and others ("A Technique for Drawing Directed Graphs", 1993), by dagre. */
export function layGraph(
  boxes: readonly Box[],
  arrows: readonly { from: string; to: string }[],
  room: Room,
): LaidGraph {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: room.between, ranksep: room.layers, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { from, to } of arrows) {
    graph.setEdge(from, to, room.label ? { width: room.label, height: 20, labelpos: "c" } : {});
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const place = (id: string) => graph.node(id) as { x: number; y: number; width: number; height: number };
  return {
    width,
    height,
    nodes: new Map(boxes.map(({ id }) => [id, place(id)])),
    edges: arrows.map(({ from, to }) => {
      const { points, x, y } = graph.edge(from, to) as { points: Point[] } & Partial<Point>;
      const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 };
      // A line to itself has no room of its own. Text stands on its baseline: a little below the middle.
      return { from, to, points, label: { x: x ?? middle.x, y: (y ?? middle.y) + 4 } };
    }),
  };
}

/** A smooth line through an edge's points, as SVG has it. */
export function pathThrough(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const last = rest.at(-1) ?? first;
  const middle = rest.slice(0, -1);
  const curves = middle.map((point, index) => {
    const next = middle[index + 1] ?? last;
    const end = index === middle.length - 1 ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q${point.x} ${point.y} ${end.x} ${end.y}`;
  });
  return `M${first.x} ${first.y}${curves.length > 0 ? curves.join("") : `L${last.x} ${last.y}`}`;
}
