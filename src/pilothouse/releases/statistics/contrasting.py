"""Levels measured in windows: is one side's level different from the other's?

A trimmed mean with Yuen's standard error (Yuen 1974) stands against bursts and heavy tails. Windows that follow each
other are not independent: the error is inflated by what a first-order autoregression says they are worth.
"""

from __future__ import annotations

import math

import numpy as np

from pilothouse.releases.statistics.estimate import Estimate, Floats

TRIM = 0.2
_MOST_CORRELATED = 0.97
_MARGIN = 1.5


def contrast(baseline: Floats, candidate: Floats, paired: bool, trim: float = TRIM) -> Estimate | None:
    """Candidate minus baseline; one value a window, NaN where a window has none.

    `paired` when window i of both sides is the same time: what hit both then cancels out. None when fewer than
    three windows can be compared.
    """
    if paired:
        differences = candidate - baseline
        return _mean(differences[np.isfinite(differences)], trim)
    one = _mean(baseline[np.isfinite(baseline)], trim)
    other = _mean(candidate[np.isfinite(candidate)], trim)
    if one is None or other is None:
        return None
    whole = Estimate(other.difference - one.difference, other.error, other.freedom)
    return whole.widened(one.error**2, one.freedom)


def contrast_lately(baseline: Floats, candidate: Floats) -> Estimate | None:
    """Candidate minus baseline in the last third of the windows: for what climbs or settles, as memory does.

    A climb has no level, and its windows are no replicates. So the error is not divided by their number: one side is
    expected to wander lately as much as the baseline wandered over all of its windows.
    """
    one, other = baseline[np.isfinite(baseline)], candidate[np.isfinite(candidate)]
    if min(len(one), len(other)) < 5:
        return None
    late = [side[-max(len(side) // 3, 2) :] for side in (one, other)]
    usual = float(np.var(one, ddof=1))
    variance = usual + max(usual, float(np.var(late[1], ddof=1)))
    return Estimate(float(late[1].mean() - late[0].mean()), math.sqrt(variance), float(len(one) - 1))


def _mean(values: Floats, trim: float) -> Estimate | None:
    count = len(values)
    if count < 3:
        return None
    cut = int(trim * count)
    ordered = np.sort(values)
    kept = ordered[cut : count - cut]
    held = np.clip(values, ordered[cut], ordered[count - cut - 1])
    variance = float(np.var(held, ddof=1)) / (1 - 2 * trim if cut else 1) ** 2
    worth = 1 / correlation_inflation(held)
    freedom = max(len(kept) * worth - 1, 1.0)
    return Estimate(float(kept.mean()), float(np.sqrt(variance / (count * worth))), freedom)


def correlation_inflation(values: Floats) -> float:
    """How many windows one independent window takes: (1 + r) / (1 - r), at least 1.

    r is the lag-one autocorrelation, with Kendall's correction for its downward bias in short series and a margin of
    one and a half of its standard errors: taking a wandering series for a steady one is how false alarms begin.
    """
    count = len(values)
    centred = values - values.mean()
    power = float(centred @ centred)
    if power <= 0 or count < 4:
        return 1.0
    raw = float(centred[1:] @ centred[:-1]) / power
    margin = _MARGIN * math.sqrt(max(1 - raw**2, 0.0) / count)
    r = min(max(raw + (1 + 4 * raw) / count + margin, 0.0), _MOST_CORRELATED)
    return (1 + r) / (1 - r)
