"""Profiles around a point: samples of the span where they carry its id, else of the same resources at that time.

Around a function they are those of the stacks that hold it: what it and all that it calls spend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.correlate.joining import MINE, NOBODY, Joined, path
from pilothouse.signals.timerange import NANOSECONDS

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.correlate.anchor import Anchor

# A profile's time is when it began: one that began a while before covers the point too.
_LONGEST_PROFILE = 60 * NANOSECONDS
_OF_SPAN = "lower(attributes['span_id']) = {span_id:String}"
_OF_TRACE = (
    "(lower(attributes['trace_id']) = {trace_id:String} OR lower(attributes['span_id']) IN {spans:Array(String)})"
)

_OF_EXEMPLARS = """lower(attributes['span_id']) IN (
    SELECT lower(hex(span_id)) FROM spans WHERE lower(hex(trace_id)) IN {traces:Array(String)})"""
_OF_FUNCTION = "stack IN (SELECT stack FROM profile_stacks WHERE has(functions, {function:String}))"

_SPANS = "SELECT DISTINCT lower(hex(span_id)) AS span FROM spans WHERE trace_id = unhex({trace_id:String}) LIMIT 10000"

_TOP = """SELECT type, function, sum(cost) AS own, any(of_type) AS whole FROM (
    SELECT type, stack, cost, sum(cost) OVER (PARTITION BY type) AS of_type FROM (
        SELECT type, stack, sum(value) AS cost FROM profile_samples WHERE {where} GROUP BY type, stack
    )
) AS samples
INNER JOIN (
    SELECT stack, any(functions[1]) AS function FROM profile_stacks
    WHERE stack IN (SELECT stack FROM profile_samples WHERE {where}) GROUP BY stack
) AS stacks USING (stack)
GROUP BY type, function ORDER BY type = 'cpu' DESC, own / greatest(whole, 1) DESC, function LIMIT {limit}"""


def stacks(engine: Engine, anchor: Anchor, joined: Joined, limit: int, budget: Budget | None) -> dict[str, Any]:
    """How many samples' rows, and the functions that cost most themselves, with their share of the type."""
    parameters = anchor.parameters | joined.parameters | {"start": anchor.within.start - _LONGEST_PROFILE}
    wanted = []
    if anchor.span_id:
        wanted.append(("span id", f"{MINE} AND {_OF_SPAN}"))
    elif anchor.trace_id:
        parameters["spans"] = engine.query(_SPANS, anchor.parameters, budget).column("span").to_pylist()
        wanted.append(("trace id", f"{MINE} AND {_OF_TRACE}"))
    elif joined.traces:
        wanted.append(("exemplars", f"{MINE} AND {_OF_EXEMPLARS}"))
    elif anchor.function:
        wanted.append(("function", f"{MINE} AND {_OF_FUNCTION}"))
    wanted.append((NOBODY, MINE))
    for by, where in wanted:
        count = engine.query(f"SELECT count() AS n FROM profile_samples WHERE {where}", parameters, budget)
        if count.column("n")[0].as_py() or by == NOBODY:
            rows = engine.query(_TOP.format(where=where, limit=limit), parameters, budget).to_pylist()
            return {
                "by": by,
                "count": count.column("n")[0].as_py(),
                "examples": [
                    {
                        "function": row["function"], "type": row["type"], "self": row["own"],
                        "share": row["own"] / row["whole"] if row["whole"] else 0.0,
                    }
                    for row in rows
                ],
                "api": path("/api/profiles/flame", anchor),
            }  # fmt: skip
    raise AssertionError("identity and time is always asked last")
