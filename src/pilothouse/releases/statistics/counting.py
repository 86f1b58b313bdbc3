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
    freedom: float


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
    common = float(np.median(own[own > 0])) if np.any(own > 0) else 1.0
    weighed = (own * freedom + common * _COMMON_FREEDOM) / (freedom + _COMMON_FREEDOM)
    dispersion = np.maximum(weighed, 1.0)
    left, right = baseline.sum(1), candidate.sum(1)
    precision = 1 / (left + 0.5) + 1 / (right + 0.5)
    worth = precision / (dispersion * precision + spread)
    share = float(exposures[1].sum() / (exposures[0].sum() + exposures[1].sum()))
    return _tested(left, right, worth, share, dispersion, freedom + _COMMON_FREEDOM)


def _tested(left: Floats, right: Floats, worth: Floats, share: float, dispersion: Floats, freedom: float) -> Rates:
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


def _dispersion(
    baseline: Floats, candidate: Floats, exposures: tuple[Floats, Floats], paired: bool
) -> tuple[Floats, float]:
    """Pearson's dispersion of each subject between windows, and its degrees of freedom."""
    if not paired:
        one, first = _pearson(baseline, exposures[0])
        other, second = _pearson(candidate, exposures[1])
        return (one + other) / max(first + second, 1.0), max(first + second, 0.0)
    ratio = (candidate.sum(1) + 0.5) / (baseline.sum(1) + 0.5) * exposures[0].sum() / exposures[1].sum()
    weighted = exposures[1] * ratio[:, None]
    whole = weighted + exposures[0]
    share = np.clip(np.divide(weighted, whole, out=np.full_like(whole, 0.5), where=whole > 0), 1e-6, 1 - 1e-6)
    together = baseline + candidate
    variance = together * share * (1 - share)
    squares = np.divide((candidate - together * share) ** 2, variance, out=np.zeros_like(variance), where=variance > 0)
    conditional = squares.sum(1) / max(baseline.shape[1] - 1, 1)
    # With nearly all events on one side the conditional variance says nothing about bursts: ask the sides too.
    lone, _ = _dispersion(baseline, candidate, exposures, paired=False)
    sided = np.minimum(baseline.sum(1), candidate.sum(1)) < 5
    return np.where(sided, lone, conditional), max(float(baseline.shape[1] - 1), 0.0)


def _pearson(counts: Floats, exposure: Floats) -> tuple[Floats, float]:
    """Pearson's statistic of counts [n, windows] against a constant rate, and its degrees of freedom."""
    used = exposure > 0
    if used.sum() < 2:
        return np.zeros(len(counts)), 0.0
    rate = counts[:, used].sum(1) / exposure[used].sum()
    expected = rate[:, None] * exposure[used]
    squares = np.divide((counts[:, used] - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0)
    return squares.sum(1), float(used.sum() - 1)
