"""A pattern: log lines that are the same but for their numbers, ids, addresses and quoted parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pilothouse.releases.both import Both
from pilothouse.releases.statistics import Floats

Level = Literal["debug", "info", "warn", "error"]

MASK = (
    # UUIDs, quoted strings, then every word with a digit in it and what hangs on it: numbers, times, addresses.
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|\"[^\"]*\"|'[^']*'|[0-9A-Za-z]*[0-9][0-9A-Za-z]*(?:[.:,/+-][0-9]+[0-9A-Za-z]*)*"
)
"""RE2: what is masked. One pass of one expression; each match becomes `<*>`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`counts` are lines in each window; `level` that of its gravest line; `example` one whole line."""

    text: str
    level: Level
    counts: Both[Floats]
    example: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Patterns:
    """All patterns of a trial, and all lines at level error in each window; `lines` in all on each side."""

    patterns: tuple[Pattern, ...]
    errors: Both[Floats]
    lines: Both[int]
    cut_off: bool = False
