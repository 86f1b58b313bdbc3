"""The false discovery rate over all that was tested (Benjamini and Hochberg 1995).

With weights (Genovese, Roeder and Wasserman 2006) what was asked beforehand need not pay for the thousands of
questions asked besides.
"""

from __future__ import annotations

import numpy as np

from pilothouse.releases.statistics.estimate import Floats


def q_values(p_values: Floats, weights: Floats | None = None) -> Floats:
    """For each p-value the smallest false discovery rate at which it would be a discovery.

    `weights` are positive and relative to each other; they are scaled to a mean of 1.
    """
    if weights is not None and len(weights):
        p_values = np.minimum(p_values / (weights / weights.mean()), 1.0)
    count = len(p_values)
    if not count:
        return p_values
    order = np.argsort(p_values)[::-1]
    ranks = np.arange(count, 0, -1)
    raised = np.minimum.accumulate(p_values[order] * count / ranks)
    found = np.empty(count)
    found[order] = np.minimum(raised, 1.0)
    return found
