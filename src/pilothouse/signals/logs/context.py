"""What stands around a line in its own stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.logs.reading import COLUMNS, entries, within_sql
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.logs.pipeline import Entry
    from pilothouse.signals.logs.streams import Streams

# Nobody looks for the line before over more than this.
_REACH = 3600 * NANOSECONDS


def around(engine: Engine, found: Streams, entry: Entry, lines: int) -> tuple[list[Entry], list[Entry]]:
    """So many entries before and after this one, in order; lines of the same time count as after."""
    identity = next((one for one, labels in found.items() if labels == entry.stream), None)
    if identity is None:
        return [], []
    stream = {identity: found[identity]}
    before = _read(engine, stream, TimeRange(max(entry.time - _REACH, 0), entry.time), "DESC", lines)
    after = _read(engine, stream, TimeRange(entry.time, entry.time + _REACH), "ASC", lines + 1)
    return before[::-1], [one for one in after if (one.time, one.line) != (entry.time, entry.line)][:lines]


def _read(engine: Engine, stream: Streams, within: TimeRange, order: str, lines: int) -> list[Entry]:
    parameters: dict[str, Any] = {"most": lines}
    where = " AND ".join(within_sql(parameters, stream, within))
    rows = engine.query(
        f"SELECT {COLUMNS} FROM logs WHERE {where} ORDER BY at {order} LIMIT {{most:UInt32}}", parameters
    )
    return list(entries(rows, stream))
