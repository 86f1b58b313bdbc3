"""How sure the judge must be at one look of a rollout, so that all its looks together are seldom wrong.

The risk of a rollout is shared out evenly over the steps that are judged, and within a step over its looks by how much
of the step is over (`statistics/looking.py`). Looks after a step's end, and those of a step without one, have a part of
the risk that gets smaller with each of them and never runs out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.releases.rules import Rules

if TYPE_CHECKING:
    from pilothouse.releases.rollout.plan import Plan
    from pilothouse.releases.rollout.run import Run

# What is kept for looks after the end of a step, where there may be any.
_LATE = 0.1
# A look at which nothing is to be spent still has a level.
_SUREST = 1e-12


def risk_of_a_step(plan: Plan) -> float:
    """The risk of calling a version worse than itself at one of the steps that are judged; of all of them: 1 %."""
    weight, judged = 0, 0
    for step in plan.steps:
        weight = step.weight if step.weight is not None else weight
        judged += step.checks and step.judged and weight > 0
    return Rules().false_discovery_rate / max(judged, 1)


def looked(run: Run, now: float, over: bool) -> tuple[Run, float]:
    """The run with one look more, and the level at which the judge may speak at it; `over`: the step's time is."""
    risk, judging = risk_of_a_step(run.plan), run.plan.judging
    step = run.plan.steps[run.step]
    if step.hold is None or (over and run.is_looked_through):
        late = run.late_looks + 1
        kept = risk if step.hold is None else risk * _LATE
        # Several verdicts in a row are asked for: only each so-many-th look can be the one that completes them.
        turn, rest = divmod(late, judging.failures)
        level = kept / (turn * (turn + 1)) if not rest else risk
        return replace(run, late_looks=late), level
    # Imported with the first look, as the judge is: both need scipy.
    from pilothouse.releases.statistics.looking import level_of_look

    ends = judging.cannot_tell == "go_on" and judging.failures == 1
    looks = [*run.looks, round(1.0 if over else _part(run, now), 4)]
    level = level_of_look(risk if ends else risk * (1 - _LATE), tuple(looks))
    return replace(run, looks=looks), max(level, _SUREST)


def _part(run: Run, now: float) -> float:
    """How much of the step's data is there; less than 1, and not less than at the look before."""
    step = run.plan.steps[run.step]
    time = (now - run.since) / step.hold if step.hold else 1.0
    requests = run.served / step.requests if step.requests else 1.0
    return max([*run.looks, min(time, requests, 0.99)])
