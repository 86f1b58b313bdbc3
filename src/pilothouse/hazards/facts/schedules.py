"""How often a CronJob's schedule fires."""

from __future__ import annotations

import re

_NAMED = {"@yearly": 31_536_000.0, "@annually": 31_536_000.0, "@monthly": 2_592_000.0, "@weekly": 604_800.0,
          "@daily": 86_400.0, "@midnight": 86_400.0, "@hourly": 3_600.0}  # fmt: skip


def interval(schedule: str) -> float:
    """Shortest seconds between two starts, as far as the minute and hour fields say; 0 when it is no schedule."""
    if schedule in _NAMED:
        return _NAMED[schedule]
    fields = schedule.split()
    if len(fields) != 5:
        return 0.0
    minutes, hours = _values(fields[0], 60), _values(fields[1], 24)
    if not minutes or not hours:
        return 0.0
    if len(minutes) > 1:
        return min(_gaps(minutes, 60)) * 60.0
    return min(_gaps(hours, 24)) * 3_600.0 if len(hours) > 1 else 86_400.0


def _values(field: str, size: int) -> list[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\d+(?:-\d+)?)(?:/(\d+))?", part)
        if not match:
            return []
        step = int(match[2] or 1)
        if not step:
            return []
        low, _, high = ("0", "", str(size - 1)) if match[1] == "*" else match[1].partition("-")
        last = int(high) if high else (size - 1 if match[2] else int(low))
        found.update(range(int(low), min(last, size - 1) + 1, step))
    return sorted(found)


def _gaps(values: list[int], size: int) -> list[int]:
    return [(after - before) % size or size for before, after in zip(values, values[1:] + values[:1], strict=True)]
