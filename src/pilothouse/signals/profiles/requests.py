"""How many requests a selection served: what a cost per request is divided by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.signals.selecting import identities
from pilothouse.signals.selector import Selector
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# OpenTelemetry's SpanKind: one for each request that came in, and one for each message taken from a queue.
_SERVER, _CONSUMER = 2, 5


def requests_of(engine: Engine, selector: Selector, within: TimeRange) -> int:
    """Server and consumer spans of the same selector in the same time; none where nothing is traced."""
    found = identities(engine, selector, within, "traces")
    table = engine.query(
        "SELECT count() AS n FROM spans WHERE identity IN {who:Array(UInt64)} "
        f"AND kind IN ({_SERVER}, {_CONSUMER}) AND time >= fromUnixTimestamp64Nano({{start:Int64}}, 'UTC') "
        "AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')",
        {"who": found, "start": within.start, "end": within.end},
    )
    return int(table.to_pylist()[0]["n"])
