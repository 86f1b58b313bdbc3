"""What the names of levels mean as OpenTelemetry's severity numbers (logs data model, SeverityNumber)."""

from __future__ import annotations

LEVELS = ("level", "detected_level", "severity", "severity_text", "lvl", "log.level")
"""Labels and attributes that hold a level; the first that is there and means something counts."""

_RANGES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
_OTHERS = {
    "dbug": 5, "information": 9, "informational": 9, "notice": 10, "warning": 13, "err": 17, "eror": 17, "critical": 18,
    "crit": 18, "alert": 19, "panic": 21, "emerg": 22, "emergency": 22,
}  # fmt: skip
NUMBERS = (
    _RANGES
    | {f"{name}{place}": first + place - 1 for name, first in _RANGES.items() for place in range(1, 5)}
    | _OTHERS
)
"""Names in small letters, with their numbers."""


def level_number(text: str) -> int:
    """OpenTelemetry's severity number of a level's name; 0 when it is none."""
    return NUMBERS.get(text.strip().lower(), 0)
