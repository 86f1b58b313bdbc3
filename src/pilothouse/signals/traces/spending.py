"""The operations that many traces spend their time in: their critical paths, added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.signals.traces.critical import critical_times
from pilothouse.signals.traces.forests import forests
from pilothouse.signals.traces.summaries import service_names

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

_MILLISECOND = 1e6
_MOST_OPERATIONS = 200


@dataclass(slots=True)
class _Spent:
    nanoseconds: int = 0
    spans: int = 0
    traces: int = 0
    longest: int = 0
    example: str = ""


def spending(engine: Engine, traces: Sequence[str], budget: Budget | None = None) -> dict[str, Any]:
    """How much of the traces' time each operation is, where nothing else was going on that held the trace up.

    `share` is of all traces' time together, `milliseconds` is the mean over all traces, `example` the trace in which
    it was longest.
    """
    names = service_names(engine)
    found: dict[tuple[str, str], _Spent] = {}
    forest = forests(engine, traces, budget)
    total = 0
    for trace, leaves in forest.items():
        operations = {leaf.timed.span_id: (names.get(leaf.identity, ""), leaf.name) for leaf in leaves}
        for operation, spent in _of_trace(critical_times([leaf.timed for leaf in leaves]), operations).items():
            total += spent.nanoseconds
            _add(found.setdefault(operation, _Spent()), spent, trace)
    ordered = sorted(found.items(), key=lambda one: (-one[1].nanoseconds, one[0]))
    return {
        "traces": len(forest),
        "operations": [
            {
                "service": service,
                "name": name,
                "share": spent.nanoseconds / total if total else 0.0,
                "milliseconds": spent.nanoseconds / _MILLISECOND / len(forest),
                "spans": spent.spans,
                "traces": spent.traces,
                "example": spent.example,
            }
            for (service, name), spent in ordered[:_MOST_OPERATIONS]
        ],
    }


def _of_trace(times: dict[str, int], operations: dict[str, tuple[str, str]]) -> dict[tuple[str, str], _Spent]:
    found: dict[tuple[str, str], _Spent] = {}
    for span, nanoseconds in times.items():
        spent = found.setdefault(operations[span], _Spent())
        spent.nanoseconds += nanoseconds
        spent.spans += 1
    return found


def _add(spent: _Spent, more: _Spent, trace: str) -> None:
    spent.nanoseconds += more.nanoseconds
    spent.spans += more.spans
    spent.traces += 1
    if more.nanoseconds >= spent.longest:
        spent.longest, spent.example = more.nanoseconds, trace
