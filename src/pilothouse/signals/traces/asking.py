"""Questions to the span store: which traces, and one trace whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.rows import attributes, hexadecimal
from pilothouse.signals.selecting import resources
from pilothouse.signals.selector import Selector
from pilothouse.signals.timerange import TimeRange, to_rfc3339
from pilothouse.signals.traces.bounding import telling
from pilothouse.signals.traces.critical import Timed, critical_path
from pilothouse.signals.traces.exporting import COLUMNS
from pilothouse.signals.traces.forests import forests
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.summaries import Summary, summaries
from pilothouse.signals.traces.traceql import TraceqlError, check, parse, tree

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
_MOST_SPANS = 200_000


@dataclass(frozen=True, slots=True)
class TraceQuestion:
    """Which traces: those with a span of these resources, this name, at least (at most) this long, with an error."""

    selector: Selector
    within: TimeRange
    operation: str = ""
    least_duration: int = 0
    most_duration: int = 0
    errors: bool = False
    limit: int = 20


def search(engine: Engine, question: TraceQuestion, budget: Budget | None = None) -> list[dict[str, Any]]:
    """The newest traces that have a span which fits, newest first, each in a line.

    The summary of a trace counts its spans within the range, an hour to either side included.
    """
    found = [resource.identity for resource in resources(engine, question.selector, question.within, "traces")]
    if not found:
        return []
    where, parameters = _condition(question, found)
    slack = 3600 * 1_000_000_000
    table = engine.query(
        f"""SELECT trace_id, toUnixTimestamp64Nano(min(time)) AS start,
                   max(toUnixTimestamp64Nano(time) + duration) - start AS duration,
                   count() AS spans, countIf(status_code = 2) AS errors,
                   argMin(name, (parent_span_id != toFixedString('', 8), time)) AS root,
                   argMin(identity, (parent_span_id != toFixedString('', 8), time)) AS root_identity,
                   groupUniqArray(identity) AS identities
            FROM spans
            WHERE time >= fromUnixTimestamp64Nano({{start:Int64}} - {slack}, 'UTC')
              AND time < fromUnixTimestamp64Nano({{end:Int64}} + {slack}, 'UTC')
              AND trace_id IN (
                SELECT trace_id FROM spans WHERE {where}
                GROUP BY trace_id ORDER BY max(time) DESC LIMIT {question.limit})
            GROUP BY trace_id ORDER BY start DESC""",
        parameters,
        budget,
    )
    services = {
        resource.identity: resource.attributes.get("service.name", "") for resource in resources(engine, Selector())
    }
    return [_summary(row, services) for row in table.to_pylist()]


def search_with(
    engine: Engine, text: str, within: TimeRange, limit: int, budget: Budget | None = None
) -> list[dict[str, Any]]:
    """The newest traces that a TraceQL query finds, each in a line as `search` has them."""
    query = parse(text)
    check(query)
    if not isinstance(query.root, tree.Pipeline):
        raise TraceqlError("this query makes series, not traces")
    found = [one.trace_id for one in find(engine, query.root, within, limit, 1, budget)]
    known = summaries(engine, found, budget)
    return [_line(one, known[one]) for one in found if one in known]


def _line(trace_id: str, summary: Summary) -> dict[str, Any]:
    return {
        "trace_id": trace_id,
        "start": to_rfc3339(summary.start),
        "duration_ms": summary.duration / 1e6,
        "root": summary.root,
        "service": summary.service,
        "services": sorted(summary.services),
        "spans": sum(spans for spans, _ in summary.services.values()),
        "errors": sum(errors for _, errors in summary.services.values()),
    }


def trace(engine: Engine, trace_id: str, budget: Budget | None = None, most: int = _MOST_SPANS) -> dict[str, Any]:
    """The spans of a trace, by start; `total` says how many there are. Raises `NotFoundError` when there are none.

    Of one that has more than `most`, those that tell most about it (see `bounding`).
    """
    rows = _rows(engine, trace_id, budget, most + 1)
    if not rows:
        raise NotFoundError(f"no span of trace {trace_id} is stored")
    total, critical = len(rows), None
    if total > most:
        leaves = forests(engine, [trace_id], budget)[trace_id]
        total, critical = len(leaves), critical_path([leaf.timed for leaf in leaves])
        rows = _rows(engine, trace_id, budget, most, telling(leaves, most))
    known = {resource.identity: resource.attributes for resource in resources(engine, Selector(), None, "traces")}
    if critical is None:
        critical = critical_path([_timed(row) for row in rows])
    spans = [_span(row, known.get(row["identity"], {})) for row in rows]
    marked = [span | {"critical": span["span_id"] in critical} for span in spans]
    return {"trace_id": trace_id, "total": total, "spans": marked}


def _rows(
    engine: Engine, trace_id: str, budget: Budget | None, most: int, kept: set[str] | None = None
) -> list[dict[str, Any]]:
    narrowed = "AND span_id IN (SELECT unhex(arrayJoin({kept:Array(String)}))) " if kept else ""
    table = engine.query(
        f"SELECT {COLUMNS} FROM spans WHERE trace_id = unhex({{trace_id:String}}) {narrowed}ORDER BY time, span_id "
        f"LIMIT 1 BY span_id, kind, identity LIMIT {most}",
        {"trace_id": trace_id} | ({"kept": sorted(kept)} if kept else {}),
        budget,
    )
    return list(table.to_pylist())


def _timed(row: dict[str, Any]) -> Timed:
    start = row["start"]
    return Timed(row["span_id"].hex(), hexadecimal(row["parent_span_id"]), start, start + row["duration"])


def _condition(question: TraceQuestion, found: list[int]) -> tuple[str, dict[str, Any]]:
    parts = [
        "identity IN {identities:Array(UInt64)}",
        "time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC')",
        "time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')",
    ]
    parameters: dict[str, Any] = {
        "identities": found, "start": question.within.start, "end": question.within.end
    }  # fmt: skip
    if question.operation:
        parts.append("name = {operation:String}")
        parameters["operation"] = question.operation
    if question.least_duration:
        parts.append(f"duration >= {int(question.least_duration)}")
    if question.most_duration:
        parts.append(f"duration <= {int(question.most_duration)}")
    if question.errors:
        parts.append("status_code = 2")
    return " AND ".join(parts), parameters


def _summary(row: dict[str, Any], services: dict[int, str]) -> dict[str, Any]:
    return {
        "trace_id": hexadecimal(row["trace_id"]),
        "start": to_rfc3339(row["start"]),
        "duration_ms": row["duration"] / 1e6,
        "root": row["root"],
        "service": services.get(row["root_identity"], ""),
        "services": sorted({services.get(identity, "") for identity in row["identities"]}),
        "spans": row["spans"],
        "errors": row["errors"],
    }


def _span(row: dict[str, Any], resource: dict[str, str]) -> dict[str, Any]:
    return {
        "span_id": hexadecimal(row["span_id"]),
        "parent_span_id": hexadecimal(row["parent_span_id"]),
        "name": row["name"],
        "kind": _named(KINDS, row["kind"]),
        "start": to_rfc3339(row["start"]),
        "duration_ms": row["duration"] / 1e6,
        "status": _named(STATUSES, row["status_code"]),
        "status_message": row["status_message"],
        "attributes": attributes(row["attributes"], row["kinds"]),
        "resource": resource,
        "scope": row["scope_name"],
        "trace_state": row["trace_state"],
        "events": [
            {"time": to_rfc3339(moment), "name": name, "attributes": attributes(pairs, kinds)}
            for moment, name, pairs, kinds in zip(
                row["moments"], row["event_names"], row["event_attributes"], row["event_kinds"], strict=True
            )
        ],
        "links": [
            {"trace_id": trace_id.hex(), "span_id": span_id.hex(), "attributes": attributes(pairs, kinds)}
            for trace_id, span_id, pairs, kinds in zip(
                row["link_trace_ids"],
                row["link_span_ids"],
                row["link_attributes"],
                row["link_kinds"],
                strict=True,
            )
        ],
    }


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else str(number)
