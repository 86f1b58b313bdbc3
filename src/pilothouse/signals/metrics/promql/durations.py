"""Durations as Prometheus writes them: `5m`, `1h30m`, `500ms`; in milliseconds here."""

from __future__ import annotations

import re

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_WHOLE = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_ORDER = ("y", "w", "d", "h", "m", "s", "ms")
MOST = (1 << 63) // 1_000_000


def parse_duration(text: str) -> int:
    """Milliseconds of a duration; `ValueError` in Prometheus' words when it is none."""
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    found = _WHOLE.fullmatch(text)
    if not found:
        raise ValueError(f'not a valid duration string: "{text}"')
    total = sum(int(number) * UNITS[unit] for number, unit in zip(found.groups(), _ORDER, strict=True) if number)
    if total > MOST:
        raise ValueError("duration out of range")
    return total


def format_duration(milliseconds: int) -> str:
    """The shortest exact way to write it, largest unit first, as Prometheus prints queries."""
    if milliseconds == 0:
        return "0s"
    rest, parts = abs(milliseconds), []
    for unit in _ORDER:
        # Years, weeks and days are written only when nothing smaller is left over.
        size = UNITS[unit]
        if rest >= size and (unit not in ("y", "w", "d") or rest % size == 0 or (unit == "d")):
            if unit in ("y", "w") and rest % size:
                continue
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return ("-" if milliseconds < 0 else "") + "".join(parts)
