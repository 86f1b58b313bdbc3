"""Drift: what the baseline does by itself, between two times as far apart as the two sides are.

Two versions that ran one after the other differ by the release and by all that climbs, falls or swings meanwhile. The
baseline against itself, one step earlier, shows the second part alone, for every measure that there is; a difference of
both differences is left (difference in differences). It costs a second reading, so it is only asked for where sides
that did not run together say that something is worse.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from pilothouse.releases.both import Both
from pilothouse.releases.siding import side_in
from pilothouse.releases.statistics import relative
from pilothouse.releases.wording import signed_percent
from pilothouse.signals.sentences import joined, sentence

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.tested import Tested
    from pilothouse.releases.trial import Trial

# What is not remarkable by itself needs no second look.
_REMARKABLE = 0.05
_MOST_SAID = 3


def one_step_earlier(engine: Engine, trial: Trial) -> Trial | None:
    """The baseline at its time as the candidate, against itself as long before as the sides are apart.

    None where the sides ran together, and where the baseline did not run then.
    """
    base, other = trial.sides
    step = (other.windows.start + other.windows.end - base.windows.start - base.windows.end) // 2
    if trial.paired or step < base.windows.end - base.windows.start:
        return None
    earlier = side_in(engine, trial.service, base.party, replace(base.windows, start=base.windows.start - step))
    if earlier is None or bool(earlier.requests.sum()) != bool(base.requests.sum()):
        return None
    return replace(trial, kind="before_after", sides=Both(earlier, base), noted=())


def without_drift(tests: list[Tested], drifts: list[Tested]) -> tuple[list[Tested], list[str]]:
    """The tests without what went on before, and in words what was taken off the changes that would have been told."""
    known = {(one.signal, one.subject, one.measure): one for one in drifts}
    left, said = [], []
    for test in tests:
        drift = known.get((test.signal, test.subject, test.measure))
        if drift is None or not _comparable(drift, test):
            left.append(test)
            continue
        left.append(_less(test, drift))
        if test.material and test.direction == "worse" and drift.change is not None and drift.rising == test.rising:
            said.append(f"{test.subject} {test.measure} {signed_percent(drift.change)}")
    return left, said


def told(said: list[str], version: str) -> str:
    """A note on what was taken off."""
    first = joined(", ", said[:_MOST_SAID])
    if len(said) > _MOST_SAID:
        first = sentence("{said} and {number} more", said=first, number=len(said) - _MOST_SAID)
    return sentence("what {version} had moved by itself before is taken off: {said}", version=version, said=first)


def _comparable(drift: Tested, test: Tested) -> bool:
    """Whether both have a ratio whose logarithm can be taken."""
    return test.p_value < _REMARKABLE and all(one.change is not None and -1 < one.change != 0 for one in (drift, test))


def _less(test: Tested, drift: Tested) -> Tested:
    steps = [math.log1p(one.change or 0.0) for one in (test, drift)]
    # A drift the other way makes nothing worse: it is not known to go on.
    went_on = abs(steps[1]) if drift.rising == test.rising else 0.0
    step = math.copysign(max(abs(steps[0]) - went_on, 0.0), steps[0])
    error = math.hypot(_error(test), _error(drift))
    freedom = min(test.freedom, drift.freedom)
    reach = float(stdtrit(freedom, 0.975)) * error
    return replace(
        test,
        change=relative(step),
        interval=(relative(step - reach), relative(step + reach)),
        p_value=float(np.clip(2 * stdtr(freedom, -abs(step) / error), 0.0, 1.0)) if error > 0 else 1.0,
        material=test.material and abs(step) >= math.log1p(test.least),
        error=error,
        freedom=freedom,
    )


def _error(test: Tested) -> float:
    """The standard error of the logarithm of the ratio; from the p-value where the test gives none."""
    if test.error is not None and math.isfinite(test.error):
        return test.error
    score = -float(ndtri(max(test.p_value, 1e-300) / 2))
    return abs(math.log1p(test.change or 0.0)) / max(score, 1e-9)
