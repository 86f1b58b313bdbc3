"""Tests on operations: is it slower, does it fail more often, is it new or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.statistics import (
    Estimate,
    Floats,
    compare_rates,
    direction_of_pairs,
    mann_whitney,
    outside_bursts,
    persists,
    quantile_contrasts,
    rate_persists,
    relative,
    spread_variance,
    window_quantiles,
)
from pilothouse.releases.statistics.spread import Common
from pilothouse.releases.tested import Tested
from pilothouse.releases.traces.operation import ERROR_SHARES

if TYPE_CHECKING:
    from pilothouse.releases.traces.operation import Operation, Operations
    from pilothouse.releases.trial import Trial

_MILLISECOND = 1e6
_PER_WINDOW = 10
_LEAST_IN_WINDOW = 5
_PER_INSTANCE = 300
_INDEPENDENT = 3
# Whether it lasts is only asked of what is remarkable at all.
_REMARKABLE = 0.01
_LITTLE = 0.02
# A quantile needs requests beyond it: twenty on each side. Its part of its operation's room for false discoveries is by
# how sharp it is: the same change is two to three standard errors of a median, and one of a 99th percentile.
_QUANTILES = {"p50": (0.5, 40), "p95": (0.95, 400), "p99": (0.99, 2000)}
_QUANTILES_OF_FEW = {"p50": (0.5, 40), "p90": (0.9, 50)}
_SHARPNESS = {"p50": 0.6, "p90": 0.3, "p95": 0.3, "p99": 0.1}
# Whether a change lasts is asked of wider windows than how large it is: in narrow ones a quantile is mostly noise.
_LASTING_WINDOWS = 20


def judge(found: Operations, trial: Trial) -> list[Tested]:
    """All tests on all operations that have enough requests."""
    entries = sum(float(one.counts.candidate.sum()) for one in found.operations if one.entry)
    tests: list[Tested] = []
    common = _common_spread(found, trial)
    for one in found.operations:
        weight = float(one.counts.candidate.sum()) / entries if one.entry and entries else 0.0
        tests += _latency(one, trial, weight, common)
        if one.entry:
            tests += _errors(one, trial, weight)
    return tests + _calls(found, trial)


def _latency(operation: Operation, trial: Trial, weight: float, common: Common) -> list[Tested]:
    durations = _coarsened(operation, trial)
    if durations is None:
        return []
    least = min(float(side.sum()) for side in durations)
    wanted = _QUANTILES if least >= _QUANTILES["p95"][1] else _QUANTILES_OF_FEW
    measures = [(name, share) for name, (share, needed) in wanted.items() if least >= needed]
    shares = np.array([share for _, share in measures])
    found = quantile_contrasts(durations.baseline, durations.candidate, operation.edges, shares, trial.paired)
    assumed = trial.spread(trial.rules.latency_spread)
    spread, freedom = spread_variance(*_instances(operation, trial), assumed=assumed, common=common)
    room = len(measures) * _prominence(operation, weight) / sum(_SHARPNESS[measure] for measure, _ in measures)
    return [
        _slower(operation, trial, durations, measure, share, one.widened(spread, freedom), weight, room)
        for (measure, share), one in zip(measures, found, strict=True)
        if np.isfinite(one.error)
    ]


def _slower(
    operation: Operation,
    trial: Trial,
    durations: Both[Floats],
    measure: str,
    share: float,
    estimate: Estimate,
    weight: float,
    room: float,
) -> Tested:
    whole = durations.map(lambda side: float(window_quantiles(side.sum(0)[None], operation.edges, share, least=1)[0]))
    base, other = (float(np.exp(level)) / _MILLISECOND for level in whole)
    low, high = estimate.interval()
    rising = estimate.difference > 0
    return Tested(
        signal="traces",
        subject=operation.name,
        measure=f"duration {measure}",
        unit="ms",
        baseline=base,
        candidate=other,
        change=relative(estimate.difference),
        interval=(relative(low), relative(high)),
        p_value=estimate.p_value,
        rising=rising,
        bad="up" if operation.entry else "neither",
        material=abs(estimate.difference) >= np.log1p(trial.rules.latency_change)
        and abs(other - base) >= trial.rules.latency_milliseconds,
        lasting=_lasts(operation, trial, durations, share, estimate.difference),
        error=estimate.error,
        freedom=estimate.freedom,
        weight=weight,
        least=trial.rules.latency_change,
        prominence=room * _SHARPNESS[measure],
        source=operation,
    )


def _lasts(operation: Operation, trial: Trial, durations: Both[Floats], share: float, difference: float) -> bool:
    """Whether most windows show the difference, and their ranks do.

    Sides that ran together are compared window by window: load and neighbours slow both by more than is looked for.
    """
    windows = min(len(durations.baseline), len(durations.candidate), _LASTING_WINDOWS)
    levels = durations.map(
        lambda side: window_quantiles(_merged(side, windows), operation.edges, share, least=_LEAST_IN_WINDOW)
    )
    wanted = 1 if difference > 0 else -1
    if trial.paired:
        apart = levels.candidate - levels.baseline
        return persists(np.zeros(1), apart, difference) and direction_of_pairs(apart) == wanted
    shift = mann_whitney(levels.baseline, levels.candidate)
    return persists(levels.baseline, levels.candidate, difference) and shift is not None and shift.direction == wanted


def _errors(operation: Operation, trial: Trial, weight: float) -> list[Tested]:
    """The share of all requests that failed, and of those outside bursts of errors: half of its room for each.

    What sides at different times are like outside bursts cannot be tested fairly.
    """
    whole = (
        (operation.errors.baseline, operation.counts.baseline),
        (operation.errors.candidate, operation.counts.candidate),
    )
    looks = (whole, outside_bursts(*whole)) if trial.paired else (whole,)
    tests = [
        _failing(operation, trial, measure, sides, _prominence(operation, weight) / len(looks))
        for measure, sides in zip(ERROR_SHARES, looks, strict=False)
    ]
    return [test for test in tests if test is not None]


def _failing(
    operation: Operation,
    trial: Trial,
    measure: str,
    sides: tuple[tuple[Floats, Floats], tuple[Floats, Floats]],
    prominence: float,
) -> Tested | None:
    (failed, requests), (other_failed, other_requests) = sides
    exposures = (requests, other_requests)
    if min(float(side.sum()) for side in exposures) < trial.rules.least_requests:
        return None
    rates = compare_rates(failed[None], other_failed[None], exposures, trial.paired)
    if rates.baseline[0] + rates.candidate[0] == 0:
        return None
    shares = Both(rates.baseline[0] / requests.sum(), rates.candidate[0] / other_requests.sum())
    step = float(shares.candidate - shares.baseline)
    change = float(rates.ratio[0]) - 1
    return Tested(
        signal="traces",
        subject=operation.name,
        measure=measure,
        unit="",
        baseline=float(shares.baseline),
        candidate=float(shares.candidate),
        change=change if np.isfinite(change) else None,
        interval=(float(rates.low[0]) - 1, float(rates.high[0]) - 1 if np.isfinite(rates.high[0]) else None),
        p_value=float(rates.p_value[0]),
        rising=step > 0,
        bad="up",
        material=abs(step) >= trial.rules.error_share and abs(change) >= trial.rules.error_change,
        lasting=float(rates.p_value[0]) < _REMARKABLE and rate_persists(failed, other_failed, exposures, trial.paired),
        prominence=prominence,
        source=operation,
    )


def _calls(found: Operations, trial: Trial) -> list[Tested]:
    """How often each operation runs per request; for those that serve requests, only whether they are new or gone."""
    operations = [
        one for one in found.operations if sum(side.sum() for side in one.counts) >= trial.rules.least_requests
    ]
    if not operations or not all(side.sum() > 0 for side in trial.exposures):
        return []
    exposures = (trial.exposures.baseline, trial.exposures.candidate)
    spread = trial.spread_of_rates(trial.rules.rate_spread)
    rates = compare_rates(
        np.array([one.counts.baseline for one in operations]),
        np.array([one.counts.candidate for one in operations]),
        exposures,
        trial.paired,
        spread,
    )
    tests = []
    for place, one in enumerate(operations):
        ratio = float(rates.ratio[place])
        if one.entry and 0 < ratio < np.inf:
            continue
        exposed = [float(side.sum()) for side in trial.exposures]
        tests.append(
            Tested(
                signal="traces",
                subject=one.name,
                measure="runs per request" if trial.per_request else "runs per second",
                unit="",
                baseline=float(rates.baseline[place]) / exposed[0],
                candidate=float(rates.candidate[place]) / exposed[1],
                change=ratio - 1 if np.isfinite(ratio) else None,
                interval=(
                    float(rates.low[place]) - 1,
                    float(rates.high[place]) - 1 if np.isfinite(rates.high[place]) else None,
                ),
                p_value=float(rates.p_value[place]),
                rising=ratio > 1,
                bad="neither",
                material=abs(ratio - 1) >= trial.rules.calls_change,
                lasting=float(rates.p_value[place]) < _REMARKABLE
                and rate_persists(one.counts.baseline, one.counts.candidate, exposures, trial.paired, spread),
                prominence=_LITTLE,
                source=one,
            )
        )
    return tests


def _prominence(operation: Operation, weight: float) -> float:
    """By its part of the requests; what happens inside only explains."""
    return _LITTLE + weight if operation.entry else _LITTLE


def _coarsened(operation: Operation, trial: Trial) -> Both[Floats] | None:
    """Its durations in windows wide enough for it; None when it has too few requests for that."""
    counts = operation.counts
    least = min(float(side.sum()) for side in counts)
    windows = min(len(side) for side in counts)
    wanted = min(windows, int(least // _PER_WINDOW))
    if least < trial.rules.least_requests or wanted < trial.rules.least_windows:
        return None
    return operation.durations.map(lambda side: _merged(side, wanted))


def _merged(counts: Floats, windows: int) -> Floats:
    edges = np.linspace(0, len(counts), windows + 1).round().astype(int)[:-1]
    merged: Floats = np.add.reduceat(counts, edges, axis=0)
    return merged


def _common_spread(found: Operations, trial: Trial) -> Common:
    """How much instances differ in the operations with requests enough to tell: their variance (the median of the
    operations), and how many degrees of freedom that is worth: instances that are slow in one are often so in others.
    """
    freedom = sum(side.size - 1 for side in trial.sides)
    variances = [
        sum(float(((levels - levels.mean()) ** 2).sum()) for levels in one.instances if len(levels) > 1) / freedom
        for one in found.operations
        if freedom > 0 and _tells(one, trial)
    ]
    if not variances:
        return Common(0.0, 0.0)
    return Common(float(np.median(variances)), freedom * min(len(variances), _INDEPENDENT))


def _tells(operation: Operation, trial: Trial) -> bool:
    return all(
        len(levels) == side.size and float(counts.sum()) >= _PER_INSTANCE * side.size
        for levels, side, counts in zip(operation.instances, trial.sides, operation.counts, strict=True)
    )


def _instances(operation: Operation, trial: Trial) -> tuple[Floats, Floats]:
    """Levels of the instances; one unknown level a side where there is but one."""
    return tuple(
        levels if len(levels) > 1 else np.full(side.size, np.nan)
        for levels, side in zip(operation.instances, trial.sides, strict=True)
    )  # type: ignore[return-value]
