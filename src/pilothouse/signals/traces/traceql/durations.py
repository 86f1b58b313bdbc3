"""Durations as Go and Prometheus write them: `1h30m`, `1.5s`, `200us`, `2d`."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = {
    "ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000, "d": 86_400_000_000_000, "w": 604_800_000_000_000, "y": 31_536_000_000_000_000,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w|y)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_MOST = 2**63


def nanoseconds(text: str) -> int | None:
    """The length in nanoseconds; None when `text` is not a duration or is longer than 292 years."""
    if not _WHOLE.fullmatch(text):
        return None
    length = int(sum(Fraction(number.rstrip(".")) * _UNITS[unit] for number, unit in _PART.findall(text)))
    return length if length < _MOST else None


def written(length: int) -> str:
    """A length in nanoseconds as Go writes it, shortest unit last: `1m30s`, `250ms`, `1.5s`."""
    if length < 0:
        return "-" + written(-length)
    for unit in ("h", "m", "s", "ms", "us", "ns"):
        if length >= _UNITS[unit] and not length % _UNITS[unit]:
            return f"{length // _UNITS[unit]}{unit}"
    return "0s"
