import { Graph, layout } from "@dagrejs/dagre";

/** A graph laid out in layers from left to right. Sizes in pixels; a node's `x` and `y` are its middle. */
export interface LaidGraph {
  width: number;
  height: number;
  nodes: Map<string, Placed>;
  edges: { from: string; to: string; points: Point[]; label: Point }[];
}

interface Point {
  x: number;
  y: number;
}

interface Placed extends Point {
  width: number;
  height: number;
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
  const place = (id: string) => graph.node(id) as Placed;
  return {
    width,
    height,
    nodes: new Map(boxes.map(({ id }) => [id, place(id)])),
    edges: arrows.map(({ from, to }) => {
      const { points, x, y } = graph.edge(from, to) as { points: Point[] } & Partial<Point>;
      const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 };
      // A line to itself has no room of its own. Text stands on its baseline: a little below the middle.
      return {
        from,
        to,
        points: fromSideToSide(points, place(from), place(to)),
        label: { x: x ?? middle.x, y: (y ?? middle.y) + 4 },
      };
    }),
  };
}

/** A smooth line through all of an edge's points, level at each of them, as SVG has it. */
export function pathThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let at = first;
  const curves = rest.map((point) => {
    const half = (at.x + point.x) / 2;
    const curve = `C${half} ${at.y} ${half} ${point.y} ${point.x} ${point.y}`;
    at = point;
    return curve;
  });
  return `M${first.x} ${first.y}${curves.join("")}`;
}

/** An edge that goes on to the next layer leaves in the middle of its box's side and enters in the middle of one. */
function fromSideToSide(points: readonly Point[], from: Placed, to: Placed): Point[] {
  const left = { x: from.x + from.width / 2, y: from.y };
  const right = { x: to.x - to.width / 2, y: to.y };
  return left.x < right.x ? [left, ...points.slice(1, -1), right] : [...points];
}
