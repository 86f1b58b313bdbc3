"""The spans of many traces, with little more than their times: what questions over whole trees need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.traces.by_id import of_traces
from pilothouse.signals.traces.critical import Timed

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

MOST_SPANS = 500_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """A span: its times in nanoseconds, whose it is, what it is called."""

    timed: Timed
    identity: int
    name: str
    kind: int
    failed: bool


def forests(engine: Engine, traces: Sequence[str], budget: Budget | None = None) -> dict[str, list[Leaf]]:
    """The spans of traces (ids in hexadecimal), by trace and start. Raises `BadRequestError` when they are too many."""
    if not traces:
        return {}
    within, given = of_traces(traces)
    table = engine.query(
        f"""SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS id,
                   if(parent_span_id = toFixedString('', 8), '', lower(hex(parent_span_id))) AS parent,
                   toUnixTimestamp64Nano(time) AS start, duration, identity, toString(name) AS name, kind,
                   status_code = 2 AS failed
            FROM spans WHERE {within}
            ORDER BY trace, start, id LIMIT 1 BY trace, id, kind, identity LIMIT {MOST_SPANS + 1}""",
        given,
        budget,
    )
    if table.num_rows > MOST_SPANS:
        raise BadRequestError(f"these traces have more than {MOST_SPANS} spans; ask for fewer traces", "limit")
    columns = [table[name].to_pylist() for name in table.column_names]
    found: dict[str, list[Leaf]] = {}
    for trace, span, parent, start, duration, identity, name, kind, failed in zip(*columns, strict=True):
        timed = Timed(span, parent, start, start + duration)
        found.setdefault(trace, []).append(Leaf(timed, identity, name, kind, bool(failed)))
    return found
