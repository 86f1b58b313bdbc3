import { useMemo } from "react";
import { count } from "../format/units";
import { layGraph, pathThrough } from "../graphs/layered";
import { useWords } from "../words";
import styles from "./mesh.module.css";
import { arrowsOf, boxesOf, type Mesh, type MeshArrow, type View } from "./model";
import { percent } from "./percent";

/** Services and callers; splits with what was asked and measured, calls by their number, or who may call whom. */
export default function MeshGraph({ mesh, view }: { mesh: Mesh; view: View }) {
  const { locale, say } = useWords();
  const { arrows, boxes, laid } = useMemo(() => {
    const drawn = arrowsOf(mesh, view);
    const nodes = boxesOf(mesh, drawn);
    return {
      arrows: drawn,
      boxes: nodes,
      laid: layGraph(nodes, drawn, { between: 26, layers: 60, label: 96 }),
    };
  }, [mesh, view]);
  const services = new Set(mesh.services.map(({ name }) => name));
  const called = new Set(arrows.map(({ to }) => to));
  const most = Math.max(...arrows.map(({ requests }) => requests), 1);
  const text = (arrow: MeshArrow): string => {
    if (arrow.split) {
      const asked = percent(arrow.split.asked, locale);
      const measured = arrow.split.measured;
      return measured === null ? asked : `${asked} → ${percent(measured, locale)}`;
    }
    return arrow.kind === "call" ? say.mesh.requests(count(arrow.requests, locale)) : "";
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.drawing} aria-label={say.mesh.drawing} tabIndex={0}>
      <div style={{ width: laid.width, height: laid.height }}>
        <svg
          viewBox={`0 0 ${laid.width} ${laid.height}`}
          width={laid.width}
          height={laid.height}
          aria-hidden="true"
        >
          <defs>
            <marker
              id="mesh-arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerUnits="userSpaceOnUse"
              markerWidth="9"
              markerHeight="9"
              orient="auto"
            >
              <path d="M0 0 8 4 0 8Z" className={styles.tip} />
            </marker>
          </defs>
          {laid.edges.map(({ points }, index) => {
            const arrow = arrows[index];
            if (arrow === undefined) return null;
            return (
              <g key={`${arrow.from} ${arrow.to}`} data-kind={arrow.kind} data-bad={arrow.bad || undefined}>
                <path
                  d={pathThrough(points)}
                  className={styles.arrow}
                  strokeWidth={1 + 2.5 * Math.sqrt(arrow.requests / most)}
                  markerEnd="url(#mesh-arrow)"
                />
              </g>
            );
          })}
          {/* After all arrows, so that none is drawn over a number. */}
          {laid.edges.map(({ label: { x, y } }, index) => {
            const arrow = arrows[index];
            if (arrow === undefined) return null;
            return (
              <text key={`${arrow.from} ${arrow.to}`} x={x} y={y} data-bad={arrow.bad || undefined}>
                {arrow.bad ? "▲ " : ""}
                {text(arrow)}
              </text>
            );
          })}
        </svg>
        <ul className={styles.boxes} aria-label={say.mesh.graph}>
          {boxes.map(({ id }) => {
            const place = laid.nodes.get(id);
            if (place === undefined) return null;
            const { x, y, width, height } = place;
            return (
              <li
                key={id}
                data-service={services.has(id) || undefined}
                style={{ left: x - width / 2, top: y - height / 2, width, height }}
              >
                <strong title={id}>{id.slice(id.indexOf("/") + 1)}</strong>
                <span>
                  {services.has(id)
                    ? id.slice(0, Math.max(0, id.indexOf("/")))
                    : called.has(id)
                      ? say.mesh.undeclared
                      : say.mesh.caller}
                </span>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}
