"""The lines of a function with what they cost, beside their source where it is on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilothouse.cli.client import printable

_AROUND = 2
_LARGEST = 10_000_000
Row = tuple[int, int, int, str]
"""A line's number, what it costs itself and with what it calls, and its text."""


def listing(costs: list[dict[str, Any]], directory: Path | None) -> dict[str, list[Row]]:
    """By file; with sources also the lines between and around those that cost something."""
    found: dict[str, list[Row]] = {}
    by_file: dict[str, dict[int, tuple[int, int]]] = {}
    for one in costs:
        by_file.setdefault(one["file"], {})[one["line"]] = (one["self"], one["total"])
    for file, values in by_file.items():
        text = _source(file, directory)
        numbers = range(max(min(values) - _AROUND, 1), max(values) + _AROUND + 1) if text else sorted(values)
        found[printable(file)] = [
            (number, *values.get(number, (0, 0)), printable(text[number - 1]) if 0 < number <= len(text) else "")
            for number in numbers
            if not text or number <= len(text)
        ]
    return found


def _source(file: str, directory: Path | None) -> list[str]:
    """The file as it is named, or below `directory` by as much of the end of its path as is there."""
    path = Path(file)
    parts = path.parts[1:] if path.is_absolute() else path.parts
    below = [directory.joinpath(*parts[skip:]) for skip in range(len(parts))] if directory else [path]
    for candidate in below:
        try:
            if candidate.is_file() and candidate.stat().st_size < _LARGEST:
                return candidate.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
    return []
