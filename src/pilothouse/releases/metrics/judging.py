"""Tests on measures: has the level, the rate or the mean of a metric changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.metrics.badness import about_memory, of_process, whole_memory
from pilothouse.releases.statistics import (
    Estimate,
    Floats,
    compare_rates,
    contrast,
    contrast_lately,
    mann_whitney,
    persists,
    rate_persists,
    relative,
    spread_variance,
)
from pilothouse.releases.statistics.contrasting import TRIM
from pilothouse.releases.tested import Tested

if TYPE_CHECKING:
    from pilothouse.releases.metrics.measure import Measure, Measures
    from pilothouse.releases.rules import Rules
    from pilothouse.releases.trial import Trial

_REMARKABLE = 0.01
AT_END = " at the end"
_MUCH, _LITTLE = 10.0, 0.3
_MEASURES = {"level": "level", "rate": "rate", "mean": "mean", "quantile": "p95", "count": "count"}


def judge(found: Measures, trial: Trial) -> list[Tested]:
    """One test a measure; those that never move on either side, or with too few windows, are left out."""
    return [test for one in found.measures for test in _tests(one, trial) if test is not None]


def _tests(measure: Measure, trial: Trial) -> list[Tested | None]:
    if not all(side.size for side in measure.values):
        return []
    if measure.exposures is not None and _countable(measure):
        return [_counted(measure, trial)]
    sides = [_by_window(side, measure, place) for place, side in enumerate(measure.values)]
    seen = [side[np.isfinite(side)] for side in sides]
    if min(len(side) for side in seen) < trial.rules.least_windows or _still(seen):
        return []
    scaled = _scaled(sides, all(bool((side > 0).all()) for side in seen))
    # Zeros make a trimmed spread vanish: rare values are the signal then, and all of them are kept.
    mean = contrast(*scaled.levels, trial.paired, TRIM if scaled.logarithmic else 0.0)
    tests = [_levelled(measure, trial, scaled, mean, sides)]
    if measure.bad == "up" and about_memory(measure.name, measure.unit):
        # What climbs all the time has no level; where it has come to says it.
        end = contrast_lately(*scaled.levels)
        last = [side[-max(len(side) // 3, 2) :] for side in sides]
        tests.append(_levelled(measure, trial, scaled, end, last, AT_END))
    return tests


@dataclass(frozen=True, slots=True)
class _Scaled:
    """Both sides' levels [windows], as logarithms or related to `scale`."""

    levels: tuple[Floats, Floats]
    logarithmic: bool
    scale: float


def _scaled(sides: list[Floats], logarithmic: bool) -> _Scaled:
    if logarithmic:
        return _Scaled((np.log(sides[0]), np.log(sides[1])), True, 1.0)
    scale = _scale(sides)
    return _Scaled((sides[0] / scale, sides[1] / scale), False, scale)


def _levelled(
    measure: Measure,
    trial: Trial,
    scaled: _Scaled,
    estimate: Estimate | None,
    sides: list[Floats],
    when: str = "",
) -> Tested | None:
    if estimate is None:
        return None
    logarithmic, scale = scaled.logarithmic, scaled.scale
    assumed = _assumed_spread(measure, trial.rules)
    means = [_instance_levels(side, logarithmic, scale) for side in measure.values]
    estimate = estimate.widened(*spread_variance(means[0], means[1], trial.spread(assumed)))
    shift = mann_whitney(*scaled.levels)
    rising = estimate.difference > 0
    base, other = (float(np.nanmean(side)) if np.isfinite(side).any() else 0.0 for side in sides)
    least = trial.rules.level_change if measure.sort == "level" else trial.rules.rate_change
    change, interval = _relative(estimate, logarithmic, base / scale)
    return Tested(
        signal="metrics",
        subject=measure.subject,
        measure=_MEASURES[measure.sort] + when,
        unit=measure.unit,
        baseline=base,
        candidate=other,
        change=change,
        interval=interval,
        p_value=estimate.p_value,
        rising=rising,
        bad=measure.bad,
        material=change is None
        or (abs(np.log1p(max(change, -0.999))) >= np.log1p(least) and _is_told(measure, trial, 1 + change)),
        lasting=shift is not None
        and shift.direction == (1 if rising else -1)
        and (bool(when) or persists(*scaled.levels, estimate.difference)),
        error=estimate.error if logarithmic else None,
        freedom=estimate.freedom,
        weight=1.0 if _matters(measure) else 0.0,
        prominence=_prominence(measure),
        least=least,
        source=measure,
    )


def _counted(measure: Measure, trial: Trial) -> Tested | None:
    """Rare whole events: a rate, not a level."""
    assert measure.exposures is not None
    counts = [np.nansum(side, axis=0)[None] for side in measure.values]
    if sum(side.sum() for side in counts) < trial.rules.least_lines:
        return None
    exposures = tuple(
        exposure * (len(side) if not measure.noted else 1)
        for exposure, side in zip(measure.exposures, measure.values, strict=True)
    )
    if min(float(side.sum()) for side in exposures) <= 0:
        return None
    spread = trial.spread_of_rates(trial.rules.rate_spread)
    rates = compare_rates(counts[0], counts[1], (exposures[0], exposures[1]), trial.paired, spread)
    ratio, high = float(rates.ratio[0]), float(rates.high[0]) - 1
    step = float(rates.candidate[0] / exposures[1].sum() - rates.baseline[0] / exposures[0].sum())
    return Tested(
        signal="metrics",
        subject=measure.subject,
        measure=_MEASURES[measure.sort],
        unit=measure.unit,
        baseline=float(rates.baseline[0] / exposures[0].sum()),
        candidate=float(rates.candidate[0] / exposures[1].sum()),
        change=ratio - 1 if np.isfinite(ratio) else None,
        interval=(float(rates.low[0]) - 1, high if np.isfinite(high) else None),
        p_value=float(rates.p_value[0]),
        rising=ratio > 1,
        bad=measure.bad,
        material=abs(ratio - 1) >= trial.rules.count_change and abs(step) > 0 and _is_told(measure, trial, ratio),
        lasting=float(rates.p_value[0]) < _REMARKABLE
        and rate_persists(counts[0][0], counts[1][0], (exposures[0], exposures[1]), trial.paired, spread),
        least=trial.rules.count_change,
        prominence=_prominence(measure),
        source=measure,
    )


def _is_told(measure: Measure, trial: Trial, ratio: float) -> bool:
    """Whether a change of a counter per request tells something: a process' own costs do not only follow requests."""
    return measure.sort != "rate" or not of_process(measure.name) or trial.beyond_load(ratio)


def _assumed_spread(measure: Measure, rules: Rules) -> float:
    """Memory of the same code is much alike in two processes; what another gauge shows may be anything."""
    if measure.sort != "level":
        return rules.metric_spread
    return rules.level_spread if about_memory(measure.name, measure.unit) else rules.gauge_spread


def _countable(measure: Measure) -> bool:
    """Whole increases with windows that saw none: too rare for levels."""
    values = np.concatenate([np.nansum(side, axis=0) for side in measure.values])
    return bool((values >= 0).all() and (values == np.round(values)).all() and (values < 5).any())


def _by_window(values: Floats, measure: Measure, side: int) -> Floats:
    """One value a window: the mean over instances; increases divided by their exposure."""
    if measure.exposures is None:
        return _mean(values, 0)
    exposure = tuple(measure.exposures)[side]
    # Requests are counted over all instances, seconds for each.
    whole = _mean(values, 0) * (len(values) if measure.noted else 1)
    return np.divide(whole, exposure, out=np.full_like(whole, np.nan), where=exposure > 0)


def _mean(values: Floats, axis: int) -> Floats:
    seen = np.isfinite(values)
    count = seen.sum(axis)
    total = np.where(seen, values, 0.0).sum(axis)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _instance_levels(values: Floats, logarithmic: bool, scale: float) -> Floats:
    means = _mean(values, 1)
    if len(means) < 2:
        return np.full(len(means), np.nan)
    return np.log(np.maximum(means, 1e-300)) if logarithmic else means / scale


def _still(seen: list[Floats]) -> bool:
    together = np.concatenate(seen)
    return bool((together == together[0]).all())


def _scale(sides: list[Floats]) -> float:
    """What a difference is related to where logarithms cannot be taken: the baseline's size, else all there is."""
    base = float(np.nanmean(np.abs(sides[0])))
    return base or float(np.nanmean(np.abs(sides[1]))) or 1.0


def _relative(
    estimate: Estimate, logarithmic: bool, base: float
) -> tuple[float | None, tuple[float | None, float | None] | None]:
    low, high = estimate.interval()
    if logarithmic:
        return relative(estimate.difference), (relative(low), relative(high))
    if base <= 0:
        return None, None
    return estimate.difference / base, (low / base, high / base)


def _matters(measure: Measure) -> bool:
    """Whether "no worse" must be sure of it: the memory that the process holds."""
    return measure.bad == "up" and measure.sort == "level" and whole_memory(measure.name, measure.unit)


def _prominence(measure: Measure) -> float:
    """The process' memory before all else; what has no bad direction can wait."""
    if _matters(measure):
        return _MUCH
    return 1.0 if measure.bad != "neither" else _LITTLE
