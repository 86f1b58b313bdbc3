"""How many requests a selection served: what a cost per request is divided by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.selecting import identities
from pilothouse.signals.selector import Selector
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# OpenTelemetry's SpanKind: one for each request that came in, and one for each message taken from a queue.
_SERVER, _CONSUMER = 2, 5


@dataclass(frozen=True, slots=True)
class Served:
    """Server and consumer spans of a selector in a time: `count` of them, of these resources."""

    identities: list[int]
    count: int


def served(engine: Engine, selector: Selector, within: TimeRange) -> Served:
    """What was served in the same time; a count of 0 where nothing is traced."""
    found = identities(engine, selector, within, "traces")
    return Served(found, sum(served_in_parts(engine, found, within, "toUInt32(0)").values()))


def served_in_parts(engine: Engine, of: list[int], within: TimeRange, part: str) -> dict[int, int]:
    """The same for each part of the time, which `part` says in SQL of the column `time`; empty parts are left out."""
    table = engine.query(
        f"SELECT {part} AS part, count() AS n FROM spans WHERE identity IN {{who:Array(UInt64)}} "
        f"AND kind IN ({_SERVER}, {_CONSUMER}) AND time >= fromUnixTimestamp64Nano({{start:Int64}}, 'UTC') "
        "AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC') GROUP BY part",
        {"who": of, "start": within.start, "end": within.end},
    )
    return {row["part"]: row["n"] for row in table.to_pylist()}
