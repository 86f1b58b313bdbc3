"""What instances of one version differ by: two healthy pods are never quite alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pilothouse.releases.statistics.estimate import Floats

PRIOR_FREEDOM = 8.0
"""How many degrees of freedom the assumed spread weighs against what the instances show."""
_KNOWN = 30.0


@dataclass(frozen=True, slots=True)
class Common:
    """A variance between instances that other measures of the same instances show, and its degrees of freedom."""

    variance: float
    freedom: float


def spread_variance(
    baseline: Floats, candidate: Floats, assumed: float, common: Common | None = None
) -> tuple[float, float]:
    """Variance that instances add to a difference of their sides' means, and its degrees of freedom.

    `baseline` and `candidate` hold one value an instance (on the scale of the difference); `assumed` is the
    standard deviation between instances to believe when there is one a side, and to be corrected by what is seen: in
    this measure, and in others of the same instances (`common`), where there are some.
    """
    squares, freedom = 0.0, 0.0
    for side in (baseline, candidate):
        finite = side[np.isfinite(side)]
        if len(finite) > 1:
            squares += float(((finite - finite.mean()) ** 2).sum())
            freedom += len(finite) - 1
    if common is not None and common.freedom > 0:
        squares += common.variance * common.freedom
        freedom += common.freedom
    variance = (PRIOR_FREEDOM * assumed**2 + squares) / (PRIOR_FREEDOM + freedom)
    # The assumption is a constant, not an estimate from eight values: it must not fatten the tails as one would.
    return variance * (1 / max(len(baseline), 1) + 1 / max(len(candidate), 1)), _KNOWN + freedom
