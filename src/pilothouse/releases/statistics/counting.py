"""Events per exposure (errors per request, log lines per request, samples per CPU second) on two sides.

Counts are overdispersed: events come in bursts. The Poisson model's variance is multiplied by the dispersion found
between windows (quasi-Poisson), drawn towards what all compared subjects show together, since a handful of windows
says little about one of them (as edgeR does for genes: Robinson and Smyth 2007). The p-value is that of the exact
conditional binomial test on the counts so reduced, so that zero on one side needs no special case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, ndtri_exp, stdtr

from pilothouse.releases.statistics.estimate import Floats

_LEAST_P = 1e-300
_COMMON_FREEDOM = 10.0
_ONE_SIDED = float(np.log(3))


@dataclass(frozen=True, slots=True)
class Rates:
    """For each subject [n]: totals, rate ratio (candidate to baseline) with its 95 % interval, p-value.

    `error` is the standard error of the ratio's logarithm; `dispersion` what the variance was multiplied by.
    """

    baseline: Floats
    candidate: Floats
    ratio: Floats
    low: Floats
    high: Floats
    p_value: Floats
    error: Floats
    dispersion: Floats
    freedom: Floats


def compare_rates(
    baseline: Floats,
    candidate: Floats,
    exposures: tuple[Floats, Floats],
    paired: bool,
    spread: float = 0.0,
) -> Rates:
    """Compare subjects' counts [n, windows] under exposures [windows] of both sides.

    `spread` is the variance of the logarithm of the ratio that two sets of instances of the same version would have
    anyway. `paired` when window i is the same time on both sides.
    """
    own, freedom = _dispersion(baseline, candidate, exposures, paired)
    shared = min(_COMMON_FREEDOM, len(own) - 1.0)
    believed = _believed(own, freedom, (baseline.sum(1) + candidate.sum(1)) / (baseline.shape[1] + candidate.shape[1]))
    weighed = (own * freedom + believed * shared) / np.maximum(freedom + shared, 1.0)
    dispersion = np.maximum(weighed, 1.0)
    left, right = baseline.sum(1), candidate.sum(1)
    precision = 1 / (left + 0.5) + 1 / (right + 0.5)
    worth = precision / (dispersion * precision + spread)
    share = float(exposures[1].sum() / (exposures[0].sum() + exposures[1].sum()))
    return _tested(left, right, worth, share, dispersion, np.maximum(freedom + shared, 1.0))


def _tested(left: Floats, right: Floats, worth: Floats, share: float, dispersion: Floats, freedom: Floats) -> Rates:
    b, c = left * worth, right * worth
    upper = np.where(c > 0, betainc(np.maximum(c, 1e-9), b + 1, share), 1.0)
    lower = np.where(b > 0, betainc(np.maximum(b, 1e-9), c + 1, 1 - share), 1.0)
    exact = np.clip(2 * np.minimum(upper, lower), _LEAST_P, 1.0)
    # The dispersion is itself an estimate: the normal quantile is read from Student's t instead.
    score = -ndtri_exp(np.log(exact / 2))
    odds = (1 - share) / share
    low = np.where(c > 0, betaincinv(np.maximum(c, 1e-9), b + 1, 0.025), 0.0)
    high = np.where(b > 0, betaincinv(c + 1, np.maximum(b, 1e-9), 0.975), 1.0)
    with np.errstate(divide="ignore"):
        return Rates(
            baseline=left,
            candidate=right,
            ratio=np.divide(right, left, out=np.full_like(left, np.inf), where=left > 0) * odds,
            low=low / (1 - low) * odds,
            high=high / (1 - high) * odds,
            p_value=np.clip(2 * stdtr(freedom, -score), 0.0, 1.0),
            error=np.sqrt((1 / (left + 0.5) + 1 / (right + 0.5)) / worth),
            dispersion=dispersion,
            freedom=freedom,
        )


def _believed(own: Floats, freedom: Floats, level: Floats) -> Floats:
    """The dispersion that all subjects together suggest for each: 1 + a * level, a negative binomial's.

    `a` is the median of what the subjects with enough events (at least one a window) show.
    """
    telling = (freedom > 0) & (level >= min(1.0, float(np.max(level, initial=0.0))))
    if not telling.any():
        return np.ones_like(own)
    growth = np.maximum(own[telling] - 1, 0.0) / np.maximum(level[telling], 1e-9)
    return 1 + float(np.median(growth)) * level


def _dispersion(
    baseline: Floats, candidate: Floats, exposures: tuple[Floats, Floats], paired: bool
) -> tuple[Floats, Floats]:
    """Pearson's dispersion of each subject between windows, and its degrees of freedom [n]."""
    one, first = _pearson(baseline, exposures[0])
    other, second = _pearson(candidate, exposures[1])
    freedom = first + second
    lone = (one + other) / np.maximum(freedom, 1.0)
    if not paired:
        return lone, freedom
    squares, windows = _conditional(baseline, candidate, exposures)
    # With most events on one side the split between the sides says nothing about bursts: ask the sides.
    left, right = (baseline.sum(1) + 0.5) / exposures[0].sum(), (candidate.sum(1) + 0.5) / exposures[1].sum()
    few = np.minimum(baseline.sum(1), candidate.sum(1)) < 5
    sided = few | (windows < 3) | (np.abs(np.log(right / left)) > _ONE_SIDED)
    dispersion = np.where(sided, lone, squares / np.maximum(windows, 1.0))
    return dispersion, np.where(sided, freedom, windows)


def _conditional(baseline: Floats, candidate: Floats, exposures: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Pearson's statistic of how each window's events split between the sides, and its degrees of freedom.

    What raises both sides at the same time cancels out. Windows without events say nothing, and do not count.
    """
    ratio = (candidate.sum(1) + 0.5) / (baseline.sum(1) + 0.5) * exposures[0].sum() / exposures[1].sum()
    weighted = exposures[1] * ratio[:, None]
    whole = weighted + exposures[0]
    share = np.clip(np.divide(weighted, whole, out=np.full_like(whole, 0.5), where=whole > 0), 1e-6, 1 - 1e-6)
    together = baseline + candidate
    variance = together * share * (1 - share)
    squares = np.divide((candidate - together * share) ** 2, variance, out=np.zeros_like(variance), where=variance > 0)
    return squares.sum(1), np.maximum((together > 0).sum(1) - 1.0, 0.0)


def _pearson(counts: Floats, exposure: Floats) -> tuple[Floats, Floats]:
    """Pearson's statistic of counts [n, windows] against a constant rate, and its degrees of freedom."""
    used = exposure > 0
    if used.sum() < 2:
        return np.zeros(len(counts)), np.zeros(len(counts))
    rate = counts[:, used].sum(1) / exposure[used].sum()
    expected = rate[:, None] * exposure[used]
    squares = np.divide((counts[:, used] - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0)
    return squares.sum(1), np.where(rate > 0, float(used.sum() - 1), 0.0)
