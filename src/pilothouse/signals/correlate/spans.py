"""Spans around a point: those of the trace, of a metric's exemplars or of a profile's samples, else of that time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.correlate.joining import MINE, NOBODY, Joined, path
from pilothouse.signals.selecting import resources
from pilothouse.signals.selector import Selector
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.correlate.anchor import Anchor

_OF_TRACE = "trace_id = unhex({trace_id:String})"
_MOST_LINKED = 1000

_EXEMPLARS = f"""SELECT lower(hex(trace_id)) AS trace FROM exemplars
WHERE series IN (SELECT series FROM series WHERE name = {{metric:String}} AND identity IN {{identities:Array(UInt64)}})
  AND time >= fromUnixTimestamp64Nano({{start:Int64}}, 'UTC') AND time < fromUnixTimestamp64Nano({{end:Int64}}, 'UTC')
  AND trace_id != toFixedString('', 16)
GROUP BY trace ORDER BY max(value) DESC LIMIT {_MOST_LINKED}"""

# Samples that were taken while a span ran carry its id (Pyroscope's span profiles, OTLP's links).
_SAMPLED = f"""SELECT lower(attributes['span_id']) AS span FROM profile_samples
WHERE {MINE} AND attributes['span_id'] != '' AND stack IN (
    SELECT stack FROM profile_stacks WHERE has(functions, {{function:String}}))
GROUP BY span ORDER BY sum(value) DESC LIMIT {_MOST_LINKED}"""


def joined(engine: Engine, anchor: Anchor, limit: int, budget: Budget | None) -> Joined:
    """Traces of a metric's exemplars in the range, of the largest values first; spans that ran a function."""
    traces = engine.query(_EXEMPLARS, anchor.parameters, budget).column("trace").to_pylist() if anchor.metric else []
    spans = engine.query(_SAMPLED, anchor.parameters, budget).column("span").to_pylist() if anchor.function else []
    return Joined(traces[: max(limit, 100)], spans)


def spans(engine: Engine, anchor: Anchor, joined: Joined, limit: int, budget: Budget | None) -> dict[str, Any]:
    """How many, how many failed, and the most telling: of a trace its longest, else failed ones and the slowest."""
    wanted = [("trace id", _OF_TRACE)] if anchor.trace_id else joined.conditions
    entered = f"{MINE} AND (kind IN (2, 5) OR parent_span_id = toFixedString('', 8))"
    for by, where in (*wanted, (NOBODY, entered)):
        found = _asked(engine, anchor, where, joined, limit, budget)
        if found["count"] or by == NOBODY:
            api = f"/api/traces/{anchor.trace_id}" if anchor.trace_id else path("/api/traces", anchor)
            return {"by": by, **found, "api": api}
    raise AssertionError("identity and time is always asked last")


def _asked(
    engine: Engine, anchor: Anchor, where: str, joined: Joined, limit: int, budget: Budget | None
) -> dict[str, Any]:
    parameters = anchor.parameters | joined.parameters
    whole = engine.query(
        f"SELECT count() AS n, countIf(status_code = 2) AS errors FROM spans WHERE {where}", parameters, budget
    ).to_pylist()[0]
    rows = engine.query(
        f"SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, identity, name, duration, status_code, "
        f"toUnixTimestamp64Nano(time) AS t FROM spans WHERE {where} "
        f"ORDER BY status_code = 2 DESC, duration DESC LIMIT {limit}",
        parameters,
        budget,
    ).to_pylist()
    # A trace goes through services that are not the point's own.
    names = {one.identity: one.attributes.get("service.name", "") for one in resources(engine, Selector())}
    examples = [
        {
            "trace_id": row["trace"], "span_id": row["span"], "service": names.get(row["identity"], ""),
            "name": row["name"], "start": to_rfc3339(row["t"]), "duration_ms": row["duration"] / 1e6,
            "error": row["status_code"] == 2,
        }
        for row in rows
    ]  # fmt: skip
    return {"count": whole["n"], "errors": whole["errors"], "examples": examples}
