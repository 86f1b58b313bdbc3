"""How series are numbered: the head says the metric, so that the series of one metric lie together on disk."""

from __future__ import annotations

_HEAD = 16


def series_sql(name: str, hashed: str) -> str:
    """A series' number from its metric's name and a hash of all that it is (both SQL)."""
    head = f"bitShiftLeft(cityHash64({name}), {64 - _HEAD})"
    return f"bitOr({head}, bitShiftRight({hashed}, {_HEAD}))"
