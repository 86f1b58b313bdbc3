"""Levels measured in windows: is one side's level different from the other's?

A trimmed mean with Yuen's standard error (Yuen 1974) stands against bursts and heavy tails. Windows that follow each
other are not independent: the error is inflated by what a first-order autoregression says they are worth.
"""

from __future__ import annotations

import numpy as np

from pilothouse.releases.statistics.estimate import Estimate, Floats

TRIM = 0.2
_MOST_CORRELATED = 0.9


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


def contrast_at_end(baseline: Floats, candidate: Floats, paired: bool) -> Estimate | None:
    """The same at the last window, where a straight line through the windows ends: for what climbs, as a leak does."""
    if paired:
        return _end(candidate - baseline)
    one, other = _end(baseline), _end(candidate)
    if one is None or other is None:
        return None
    whole = Estimate(other.difference - one.difference, other.error, other.freedom)
    return whole.widened(one.error**2, one.freedom)


def _end(values: Floats) -> Estimate | None:
    seen = np.isfinite(values)
    places, kept = np.flatnonzero(seen).astype(float), values[seen]
    count = len(kept)
    if count < 5:
        return None
    centre = places - places.mean()
    power = float(centre @ centre)
    slope = float(centre @ kept) / power
    rest = kept - kept.mean() - slope * centre
    inflation = correlation_inflation(rest)
    variance = float(rest @ rest) / (count - 2) * (1 / count + centre[-1] ** 2 / power) * inflation
    freedom = max((count - 2) / inflation, 1.0)
    return Estimate(float(kept.mean() + slope * centre[-1]), float(np.sqrt(variance)), freedom)


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

    r is the lag-one autocorrelation with Kendall's correction for its downward bias in short series.
    """
    centred = values - values.mean()
    power = float(centred @ centred)
    if power <= 0 or len(values) < 4:
        return 1.0
    raw = float(centred[1:] @ centred[:-1]) / power
    r = min(max(raw + (1 + 4 * raw) / len(values), 0.0), _MOST_CORRELATED)
    return (1 + r) / (1 - r)
