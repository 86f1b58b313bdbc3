"""How much of a broad sweep is run: a representative part, or with PILOTHOUSE_THOROUGH=1 all of it."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("PILOTHOUSE_THOROUGH") == "1"


def part_of(number: int) -> int:
    """How many of so many examples: a fifth of them, but at least twenty."""
    return number if THOROUGH else min(number, max(20, number // 5))
