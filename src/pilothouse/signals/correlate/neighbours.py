"""What the four signals say around a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.correlate.lines import lines
from pilothouse.signals.correlate.series import series
from pilothouse.signals.correlate.spans import joined, spans
from pilothouse.signals.correlate.stacks import stacks
from pilothouse.signals.selecting import described

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.correlate.anchor import Anchor

_MOST_RESOURCES = 20


def neighbours(engine: Engine, anchor: Anchor, limit: int, budget: Budget | None = None) -> dict[str, Any]:
    """The answer of `/api/correlate`: for each signal how it was joined, how much there is, and `limit` examples."""
    tied = joined(engine, anchor, limit, budget)
    return {
        "anchor": anchor.to_json(),
        "resources": [described(one) for one in anchor.resources[:_MOST_RESOURCES]],
        "logs": lines(engine, anchor, tied, limit, budget),
        "traces": spans(engine, anchor, tied, limit, budget),
        "metrics": series(engine, anchor, limit, budget),
        "profiles": stacks(engine, anchor, tied, limit, budget),
    }
