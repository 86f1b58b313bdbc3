"""Durations as Go writes them: `1h30m`, `90s`, `0`, `1.5h`. In seconds."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def seconds(text: str) -> float:
    """How long `text` is. Raises `ValueError` as Go's `time.ParseDuration` words it."""
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    total, position = 0.0, 0
    while found := _PART.match(rest, position):
        total += float(found[1]) * _UNITS[found[2]]
        position = found.end()
    if not rest or position != len(rest):
        hint = "missing unit in duration" if re.fullmatch(r"[0-9.]+", rest) else "invalid duration"
        raise ValueError(f'time: {hint} "{text}"')
    return sign * total


def written(length: float) -> str:
    """As Go prints it: `1h0m0s`, `1m30s`, `1.5s`."""
    if length < 0:
        return "-" + written(-length)
    if length < 1:
        return f"{length * 1000:g}ms" if length else "0s"
    hours, rest = divmod(length, 3600)
    minutes, left = divmod(rest, 60)
    text = f"{int(hours)}h" if hours else ""
    text += f"{int(minutes)}m" if minutes or hours else ""
    return f"{text}{left:g}s"
