"""What a list of traces says of each: its root, when, how long, and the spans and errors of its services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.traces.by_id import of_traces

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

_ROOT = "(parent_span_id != toFixedString('', 8), time, span_id)"


@dataclass(frozen=True, slots=True)
class Summary:
    """A trace in a line: times in nanoseconds; of each service how many spans, and how many of them with an error."""

    root: str
    service: str
    start: int
    duration: int
    services: dict[str, tuple[int, int]]


def summaries(engine: Engine, traces: Sequence[str], budget: Budget | None = None) -> dict[str, Summary]:
    """The summaries of traces given by their ids in hexadecimal."""
    if not traces:
        return {}
    within, given = of_traces(traces)
    table = engine.query(
        f"""SELECT lower(hex(trace_id)) AS id, argMin(name, {_ROOT}) AS root, argMin(identity, {_ROOT}) AS speaker,
                   min(toUnixTimestamp64Nano(time)) AS start,
                   max(toUnixTimestamp64Nano(time) + duration) - start AS length,
                   sumMap([identity], [toUInt64(1)]) AS spans,
                   sumMap([identity], [toUInt64(status_code = 2)]) AS errors
            FROM (SELECT trace_id, span_id, parent_span_id, name, identity, time, duration, status_code, kind FROM spans
                  WHERE {within}
                  LIMIT 1 BY trace_id, span_id, kind, identity)
            GROUP BY trace_id""",
        given,
        budget,
    )
    names = service_names(engine)
    found = {}
    for row in table.to_pylist():
        counts: dict[str, tuple[int, int]] = {}
        # sumMap leaves out what sums up to zero.
        failed = dict(zip(_first(row["errors"]), _second(row["errors"]), strict=True))
        for identity, spans in zip(_first(row["spans"]), _second(row["spans"]), strict=True):
            errors = failed.get(identity, 0)
            known = counts.get(names.get(identity, ""), (0, 0))
            counts[names.get(identity, "")] = (known[0] + spans, known[1] + errors)
        found[row["id"]] = Summary(row["root"], names.get(row["speaker"], ""), row["start"], row["length"], counts)
    return found


def service_names(engine: Engine) -> dict[int, str]:
    """The service of each identity that sends spans."""
    table = engine.query(
        "SELECT identity, any(attributes)['service.name'] AS service FROM resources WHERE signal = 'traces' "
        "GROUP BY identity"
    )
    return {row["identity"]: row["service"] for row in table.to_pylist()}


def _first(pair: object) -> list[int]:
    return next(iter(pair.values())) if isinstance(pair, dict) else pair[0]  # type: ignore[index]


def _second(pair: object) -> list[int]:
    return list(pair.values())[1] if isinstance(pair, dict) else pair[1]  # type: ignore[index,no-any-return]
