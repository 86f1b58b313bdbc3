"""What a value counts, in one set of names and units whoever measured it."""

from __future__ import annotations

import re

from pilothouse.signals.errors import BadRequestError

_WORD = re.compile(r"[^a-z0-9_]+")
_UNITS = {
    "nanoseconds": ("ns", 1), "nanosecond": ("ns", 1), "ns": ("ns", 1),
    "microseconds": ("ns", 1_000), "microsecond": ("ns", 1_000), "us": ("ns", 1_000),
    "milliseconds": ("ns", 1_000_000), "millisecond": ("ns", 1_000_000), "ms": ("ns", 1_000_000),
    "seconds": ("ns", 1_000_000_000), "second": ("ns", 1_000_000_000), "s": ("ns", 1_000_000_000),
    "bytes": ("By", 1), "byte": ("By", 1), "b": ("By", 1), "by": ("By", 1),
    "kilobytes": ("By", 1_024), "kilobyte": ("By", 1_024), "kb": ("By", 1_024),
    "megabytes": ("By", 1_048_576), "megabyte": ("By", 1_048_576), "mb": ("By", 1_048_576),
    "count": ("1", 1), "samples": ("1", 1), "objects": ("1", 1), "goroutines": ("1", 1), "threads": ("1", 1),
    "lock_samples": ("1", 1), "contentions": ("1", 1), "": ("1", 1), "1": ("1", 1),
}  # fmt: skip
_NAMES = {
    "space": "inuse_space", "objects": "inuse_objects", "inuse": "inuse_space", "goroutines": "goroutine",
    "itimer": "cpu", "cpu_time": "cpu", "cpu_nanoseconds": "cpu", "wall_time": "wall", "allocations": "alloc_objects",
    "mutex_count": "mutex_contentions", "mutex_duration": "mutex_delay",
    "block_count": "block_contentions", "block_duration": "block_delay",
}  # fmt: skip
_AMBIGUOUS = ("contentions", "delay")


def unit_of(unit: str) -> tuple[str, int]:
    """The unit in UCUM, and by how much to multiply values; an unknown unit is kept as it is."""
    return _UNITS.get(unit.strip().lower(), (unit.strip(), 1))


def type_of(name: str, family: str = "") -> str:
    """The type's name: `cpu`, `samples`, `wall`, `alloc_space`, `inuse_space`, `goroutine`, `mutex_delay`, ...

    `family` is what the profile as a whole is called (`process_cpu`, `memory`, `mutex`, `block`), which tells apart
    what Go calls `delay` and `contentions` in both its mutex and its block profile.
    """
    word = _WORD.sub("_", name.strip().lower()).strip("_")
    if not word:
        raise BadRequestError("sample_type: a type has no name", "sample_type")
    if word in _AMBIGUOUS and family in ("mutex", "block"):
        return f"{family}_{word}"
    return _NAMES.get(word, word)
