"""What the readers of all signals share: time and windows in SQL, and answers as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.engine import Budget

if TYPE_CHECKING:
    import pyarrow as pa

    from pilothouse.releases.statistics import Floats
    from pilothouse.releases.trial import Side
    from pilothouse.releases.window import Windows

BUDGET = Budget(seconds=60.0, memory_bytes=2_000_000_000)

# Signals keep nanoseconds (logs, spans) or milliseconds (samples, profiles).
NANOSECONDS_SQL = "toUnixTimestamp64Nano(time)"
MILLISECONDS_SQL = "toUnixTimestamp64Milli(time) * 1000000"


def within_sql(scale: int) -> str:
    """A condition on `time` (DateTime64(scale)) for the parameters of `bound`."""
    divide = 10 ** (9 - scale)
    return (
        f"time >= fromUnixTimestamp64Nano({{start:Int64}}, 'UTC') AND "
        f"time < fromUnixTimestamp64Nano(intDiv({{end:Int64}} + {divide - 1}, {divide}) * {divide}, 'UTC')"
    )


def window_sql(instant: str) -> str:
    """The number of the window that an expression in nanoseconds falls into."""
    return f"toInt32(intDiv({instant} - {{start:Int64}}, {{width:Int64}}))"


def bound(side: Side, windows: Windows | None = None) -> dict[str, Any]:
    """Parameters for `within_sql` and `window_sql`, and `{identities:Array(UInt64)}`."""
    chosen = windows or side.windows
    return {
        "identities": side.identities,
        "start": chosen.start,
        "end": chosen.end,
        "width": chosen.width,
    }


def column(table: pa.Table, name: str) -> NDArray[Any]:
    """A numeric column as an array."""
    array: NDArray[Any] = table.column(name).to_numpy()
    return array


def codes(table: pa.Table, *names: str) -> tuple[list[tuple[Any, ...]], NDArray[np.int64]]:
    """The distinct values of some columns together, and for each row which one it has."""
    import pyarrow.compute as pc

    numbers = np.zeros(table.num_rows, np.int64)
    parts = []
    for name in names:
        encoded = pc.dictionary_encode(table.column(name)).combine_chunks()
        values, places = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
        parts.append(values)
        numbers = numbers * max(len(values), 1) + places
    distinct, places = np.unique(numbers, return_inverse=True)
    return [_values(int(number), parts) for number in distinct], places.astype(np.int64)


def _values(number: int, parts: list[list[Any]]) -> tuple[Any, ...]:
    found = []
    for values in reversed(parts):
        number, place = divmod(number, len(values))
        found.append(values[place])
    return tuple(reversed(found))


def sums(shape: tuple[int, ...], places: tuple[NDArray[Any], ...], values: NDArray[Any]) -> Floats:
    """A dense array with `values` added up at `places`; what lies outside of the shape is left out."""
    inside = np.ones(len(values), bool)
    for size, place in zip(shape, places, strict=True):
        inside &= (place >= 0) & (place < size)
    whole = np.zeros(shape)
    np.add.at(whole, tuple(place[inside] for place in places), values[inside])
    return whole
