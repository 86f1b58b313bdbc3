"""Which profile types are compared, and how."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pilothouse.releases.tested import Badness

_LEVEL = re.compile(r"(inuse|live|resident|goroutine)", re.IGNORECASE)
_UP = re.compile(r"(cpu|alloc|inuse|live|samples|itimer|ctimer)", re.IGNORECASE)
# The same thing counted twice by one profiler: the left is dropped where the right is there.
_TWICE = {"samples": "cpu", "alloc_objects": "alloc_space", "inuse_objects": "inuse_space", "contentions": "delay"}


def chosen(types: Iterable[str]) -> list[str]:
    """The types worth comparing out of those that both sides have."""
    there = set(types)
    short = {_short(one) for one in there}
    return sorted(one for one in there if _TWICE.get(_short(one)) not in short)


def is_level(name: str) -> bool:
    """Whether values are levels (what is held now), and not costs over time."""
    return _LEVEL.search(name) is not None


def badness(name: str) -> Badness:
    """More CPU and more memory are worse; time on the wall and contention only move."""
    return "up" if _UP.search(name) else "neither"


def period(given: int, unit: str) -> float:
    """What one sample is worth: as the profile says, else the usual rate of profilers (100 Hz, 512 kB)."""
    if given > 1:
        return float(given)
    return {"ns": 1e7, "By": 524_288.0}.get(unit, 1.0)


def _short(name: str) -> str:
    return name.rsplit(":", 1)[-1]
