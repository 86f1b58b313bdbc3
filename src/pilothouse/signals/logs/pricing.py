"""What a question will cost, known before it runs: bytes to scan, seconds it will take.

Rows come from ClickHouse's own estimate of the marks to read (`EXPLAIN ESTIMATE`), bytes from the columns' sizes on
disk and in memory, seconds from how fast earlier questions of this process were read.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pilothouse.signals.logs.reading import within_sql

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.logs.streams import Streams
    from pilothouse.signals.timerange import TimeRange

# What two cores read of ZSTD-compressed lines, until this process has seen for itself (bench/logs).
_FIRST_GUESS = 1.5e9
# Of a line, until a part is large enough to tell.
_USUAL_LENGTH = 150.0
_WORTH_NOTING = 50_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Rows and bytes of line text to read, and the seconds that it will take."""

    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def __add__(self, other: Price) -> Price:
        return Price(self.rows + other.rows, self.bytes + other.bytes, self.seconds + other.seconds)

    def described(self) -> dict[str, Any]:
        """As the API answers it."""
        return {"rows": self.rows, "bytes": self.bytes, "seconds": round(self.seconds, 3)}


class Speed:
    """Bytes a second, learned from what was read: the mean of old and new counts most."""

    def __init__(self) -> None:
        self._lock, self._bytes_per_second = threading.Lock(), _FIRST_GUESS

    def note(self, price: Price, seconds: float) -> None:
        """A question of this price took so long."""
        if price.bytes >= _WORTH_NOTING and seconds > 0:
            with self._lock:
                self._bytes_per_second += (price.bytes / seconds - self._bytes_per_second) * 0.3

    def seconds(self, size: int) -> float:
        """How long so many bytes will take."""
        return size / self._bytes_per_second


SPEED = Speed()


def price(engine: Engine, streams: Streams, within: TimeRange) -> Price:
    """The price of reading all lines of the streams in the range."""
    if not streams or within.end <= within.start:
        return Price()
    parameters: dict[str, Any] = {}
    where = " AND ".join(within_sql(parameters, streams, within))
    estimate = engine.query(f"EXPLAIN ESTIMATE SELECT body FROM logs WHERE {where}", parameters).to_pylist()
    rows = sum(int(row["rows"]) for row in estimate)
    size = int(rows * bytes_per_row(engine)) if rows else 0
    return Price(rows, size, SPEED.seconds(size))


@dataclass(slots=True)
class _Known:
    """A mean length, and when it was read (monotonic seconds)."""

    bytes: float
    at: float


_LENGTHS: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()
_KEPT_SECONDS = 10.0


def bytes_per_row(engine: Engine) -> float:
    """The mean length of a line, from the sizes of the table's parts; read anew every few seconds."""
    now = time.monotonic()
    known = _LENGTHS.get(engine)
    if known is None or now - known.at > _KEPT_SECONDS:
        known = _LENGTHS[engine] = _Known(_bytes_per_row(engine), now)
    return known.bytes


def _bytes_per_row(engine: Engine) -> float:
    # Of a small part, all of whose columns are in one file, the engine does not say how large each is.
    row = engine.query(
        "SELECT sum(column_data_uncompressed_bytes) AS size, sum(rows) AS lines FROM system.parts_columns "
        "WHERE database = currentDatabase() AND table = 'logs' AND column = 'body' AND active "
        "AND column_data_uncompressed_bytes > 0"
    ).to_pylist()[0]
    return float(row["size"]) / float(row["lines"]) if row["lines"] else _USUAL_LENGTH
