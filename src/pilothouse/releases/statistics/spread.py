"""What instances of one version differ by: two healthy pods are never quite alike."""

from __future__ import annotations

import numpy as np

from pilothouse.releases.statistics.estimate import Floats

PRIOR_FREEDOM = 8.0
"""How many degrees of freedom the assumed spread weighs against what the instances show."""
_KNOWN = 30.0


def spread_variance(baseline: Floats, candidate: Floats, assumed: float) -> tuple[float, float]:
    """Variance that instances add to a difference of their sides' means, and its degrees of freedom.

    `baseline` and `candidate` hold one value an instance (on the scale of the difference); `assumed` is the
    standard deviation between instances to believe when there is one a side, and to be corrected by what is seen.
    """
    squares, freedom = 0.0, 0.0
    for side in (baseline, candidate):
        finite = side[np.isfinite(side)]
        if len(finite) > 1:
            squares += float(((finite - finite.mean()) ** 2).sum())
            freedom += len(finite) - 1
    variance = (PRIOR_FREEDOM * assumed**2 + squares) / (PRIOR_FREEDOM + freedom)
    # The assumption is a constant, not an estimate from eight values: it must not fatten the tails as one would.
    return variance * (1 / max(len(baseline), 1) + 1 / max(len(candidate), 1)), _KNOWN + freedom
