"""How the engine is told whose spans to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.engine.model import Parameter

FEW = 20
"""So many traces are looked up one by one, by the projection `by_trace`."""


def of_traces(traces: Sequence[str]) -> tuple[str, dict[str, Parameter]]:
    """A condition on `trace_id` for traces given by their ids in hexadecimal, and its parameters."""
    if not 0 < len(traces) <= FEW:
        return "trace_id IN (SELECT unhex(arrayJoin({traces:Array(String)})))", {"traces": list(traces)}
    # Constants are looked up for half of what a subquery costs.
    given: dict[str, Parameter] = {f"trace{place}": trace for place, trace in enumerate(traces)}
    return f"trace_id IN ({', '.join(f'unhex({{{name}:String}})' for name in given)})", given
