"""Log lines around a point: those of the trace or span, else those of the same resources at that time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.correlate.joining import MINE, NOBODY, Joined, path, service_names
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.correlate.anchor import Anchor

_LONGEST = 2000
_OF_TRACE = "trace_id = unhex({trace_id:String}) AND ({span_id:String} = '' OR span_id = unhex({span_id:String}))"


def lines(engine: Engine, anchor: Anchor, joined: Joined, limit: int, budget: Budget | None) -> dict[str, Any]:
    """How many, how many of them errors, and the gravest."""
    wanted = joined.conditions
    if anchor.trace_id:
        wanted = [("span id" if anchor.span_id else "trace id", f"{MINE} AND {_OF_TRACE}")]
    for by, where in (*wanted, (NOBODY, MINE)):
        found = _asked(engine, anchor, where, joined, limit, budget)
        if found["count"] or by == NOBODY:
            trace = {"trace_id": anchor.trace_id} if anchor.trace_id and by != NOBODY else {}
            return {"by": by, **found, "api": path("/api/logs", anchor, **trace)}
    raise AssertionError("identity and time is always asked last")


def _asked(
    engine: Engine, anchor: Anchor, where: str, joined: Joined, limit: int, budget: Budget | None
) -> dict[str, Any]:
    parameters = anchor.parameters | joined.parameters
    whole = engine.query(
        f"SELECT count() AS n, countIf(severity_number >= 17) AS errors FROM logs WHERE {where}", parameters, budget
    ).to_pylist()[0]
    if not whole["n"]:
        return {"count": 0, "errors": 0, "examples": []}
    rows = engine.query(
        f"SELECT toUnixTimestamp64Nano(time) AS t, identity, severity_number, left(body, {_LONGEST}) AS line, "
        f"lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span FROM logs WHERE {where} "
        f"ORDER BY severity_number DESC, time LIMIT {limit}",
        parameters,
        budget,
    ).to_pylist()
    names = service_names(anchor)
    examples = [
        {
            "time": to_rfc3339(row["t"]),
            "service": names.get(row["identity"], ""),
            "severity_number": row["severity_number"],
            "body": row["line"],
            "trace_id": row["trace"] if row["trace"].strip("0") else "",
            "span_id": row["span"] if row["span"].strip("0") else "",
        }
        for row in rows
    ]
    return {"count": whole["n"], "errors": whole["errors"], "examples": examples}
