import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { instant } from "../address/window";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { useSome } from "../controls/useSome";
import { share } from "../format/changes";
import { amount, count } from "../format/units";
import { layGraph, pathThrough } from "../graphs/layered";
import { formatSelector } from "../selection/selector";
import { type Selection, sameSelection } from "../selection/useSelection";
import { useWords } from "../words";
import type { Edge } from "./model";
import styles from "./traces.module.css";

/** So many arrows are drawn: of more, nobody could follow one. The table has all. */
const DRAWN = 150;

const BOX = { width: 138, height: 44 };

/** Who calls whom: how often, how many of the calls fail, how long they take. */
export default function ServiceGraph({ selection }: { selection: Selection }) {
  const { say } = useWords();
  const { from, until } = selection.bounds;
  const asked = questions.serviceGraph(
    apiPath("/api/traces/graph", { start: instant(from), end: instant(until) }),
  );
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.traces.searching}>
      {(edges) =>
        edges.length === 0 ? (
          <p className={styles.none}>{say.traces.noCalls}</p>
        ) : (
          <>
            <Drawing edges={busiest(edges, DRAWN)} selection={selection} />
            <p className={styles.limited}>
              {say.traces.graphLegend} {edges.length > DRAWN ? say.traces.onlyBusiest(DRAWN) : null}
            </p>
            <Calls edges={edges} />
          </>
        )
      }
    </Answer>
  );
}

/** The arrows with the most calls, in their order. */
function busiest(edges: Edge[], most: number): Edge[] {
  if (edges.length <= most) return edges;
  const least = edges.map(({ calls }) => calls).sort((a, b) => b - a)[most - 1] ?? 0;
  return edges.filter(({ calls }) => calls >= least).slice(0, most);
}

const isFailing = (edge: Edge): boolean => edge.errors / Math.max(edge.calls, 1) > 0.01;

function Drawing({ edges, selection }: { edges: Edge[]; selection: Selection }) {
  const { locale, say } = useWords();
  const laid = useMemo(() => {
    const names = [...new Set(edges.flatMap((edge) => [edge.client, edge.server]))];
    return layGraph(
      names.map((id) => ({ id, ...BOX })),
      edges.map(({ client, server }) => ({ from: client, to: server })),
      { between: 22, layers: 40, label: 96 },
    );
  }, [edges]);
  const most = Math.max(...edges.map((edge) => edge.rate), 1e-9);
  const served = new Map(
    [...laid.nodes.keys()].map((name) => [name, edges.filter((edge) => edge.server === name)] as const),
  );
  const stores = new Set(edges.filter((edge) => edge.kind !== "service").map((edge) => edge.server));
  const traces = (name: string) =>
    sameSelection(selection.search, "/explore/traces", {
      selector: formatSelector([{ label: "service_name", operator: "=", value: name }]),
    });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.drawing} aria-label={say.traces.graph} tabIndex={0}>
      <svg
        viewBox={`0 0 ${laid.width} ${laid.height}`}
        width={laid.width}
        height={laid.height}
        aria-hidden="true"
      >
        <defs>
          <marker
            id="arrow"
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
          const edge = edges[index];
          if (edge === undefined) return null;
          return (
            <g key={`${edge.client} ${edge.server}`} data-failing={isFailing(edge) || undefined}>
              <path
                d={pathThrough(points)}
                className={styles.arrow}
                strokeWidth={1 + 2.5 * Math.sqrt(edge.rate / most)}
                markerEnd="url(#arrow)"
              />
            </g>
          );
        })}
        {/* After all arrows, so that none is drawn over a number. */}
        {laid.edges.map(({ label: { x, y } }, index) => {
          const edge = edges[index];
          if (edge === undefined) return null;
          return (
            <text
              key={`${edge.client} ${edge.server}`}
              x={x}
              y={y}
              data-failing={isFailing(edge) || undefined}
            >
              {amount(edge.p95, "ms", locale)}
              {isFailing(edge) ? ` ▲${share(edge.errors / edge.calls, locale)}` : ""}
            </text>
          );
        })}
      </svg>
      {[...laid.nodes].map(([name, place]) => {
        const calls = served.get(name) ?? [];
        const rate = calls.reduce((sum, edge) => sum + edge.rate, 0);
        const style = { left: place.x - place.width / 2, top: place.y - place.height / 2, ...BOX };
        const facts = calls.length > 0 ? amount(rate, "{calls}/s", locale) : "";
        if (stores.has(name)) {
          return (
            <div key={name} className={styles.node} data-store style={style}>
              <strong title={name}>{name}</strong> <span>{facts}</span>
            </div>
          );
        }
        return (
          <Link key={name} className={styles.node} style={style} to={traces(name)}>
            <strong title={name}>{name}</strong> <span>{facts}</span>
          </Link>
        );
      })}
    </section>
  );
}

function Calls({ edges }: { edges: Edge[] }) {
  const { locale, say } = useWords();
  const { some, more } = useSome(edges);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className={styles.scroll} aria-label={say.traces.calls} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{say.traces.caller}</th>
            <th scope="col">{say.traces.called}</th>
            {[say.traces.calls, say.traces.errors, "p50", "p95", "p99"].map((text) => (
              <th key={text} scope="col" className="right">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {some.map((edge) => (
            <tr key={`${edge.client} ${edge.server}`}>
              <td>{edge.client}</td>
              <td>{edge.server}</td>
              <td className="right">{count(edge.calls, locale)}</td>
              <td className="right">{share(edge.errors / Math.max(edge.calls, 1), locale)}</td>
              <td className="right">{amount(edge.p50, "ms", locale)}</td>
              <td className="right">{amount(edge.p95, "ms", locale)}</td>
              <td className="right">{amount(edge.p99, "ms", locale)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </section>
  );
}
