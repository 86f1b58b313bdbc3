"""Tests on log patterns: is one new, gone, or more frequent per request; are there more errors in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.statistics import Floats, Rates, compare_rates, rate_persists
from pilothouse.releases.tested import Badness, Tested

if TYPE_CHECKING:
    from pilothouse.releases.logs.pattern import Pattern, Patterns
    from pilothouse.releases.trial import Trial

_REMARKABLE = 0.01
# Lines at level error are what is looked for; the others only explain.
_ERRORS = 5.0
ALL_ERRORS = "all lines at level error"


def judge(found: Patterns, trial: Trial) -> list[Tested]:
    """All tests; patterns with fewer than five lines in all say nothing and are left out."""
    patterns = [one for one in found.patterns if sum(side.sum() for side in one.counts) >= trial.rules.least_lines]
    exposures = (trial.exposures.baseline, trial.exposures.candidate)
    if any(side.sum() <= 0 for side in exposures):
        return []
    spread = trial.spread_of_rates(trial.rules.rate_spread)
    tests: list[Tested] = []
    if patterns:
        rates = compare_rates(
            np.array([one.counts.baseline for one in patterns]),
            np.array([one.counts.candidate for one in patterns]),
            exposures,
            trial.paired,
            spread,
        )
        tests = [_pattern(one, place, rates, trial) for place, one in enumerate(patterns)]
    if sum(side.sum() for side in found.errors) >= trial.rules.least_lines:
        errors = compare_rates(
            found.errors.baseline[None], found.errors.candidate[None], exposures, trial.paired, spread
        )
        shown = (found.errors.baseline, found.errors.candidate)
        tests.append(_tested(ALL_ERRORS, 0, errors, shown, "up", trial, found))
    return tests


def _pattern(one: Pattern, place: int, rates: Rates, trial: Trial) -> Tested:
    # More lines of information are not worse by themselves, and neither is a warning: it warns of something else.
    bad: Badness = "up" if one.level == "error" else "neither"
    return _tested(one.text, place, rates, (one.counts.baseline, one.counts.candidate), bad, trial, one)


def _tested(
    subject: str,
    place: int,
    rates: Rates,
    counts: tuple[Floats, Floats],
    bad: Badness,
    trial: Trial,
    source: Pattern | Patterns,
) -> Tested:
    ratio = float(rates.ratio[place])
    exposed = [float(side.sum()) for side in trial.exposures]
    high = float(rates.high[place]) - 1
    return Tested(
        signal="logs",
        subject=subject,
        measure="lines per request" if trial.per_request else "lines per second",
        unit="",
        baseline=float(rates.baseline[place]) / exposed[0],
        candidate=float(rates.candidate[place]) / exposed[1],
        change=ratio - 1 if np.isfinite(ratio) else None,
        interval=(float(rates.low[place]) - 1, high if np.isfinite(high) else None),
        p_value=float(rates.p_value[place]),
        rising=ratio > 1,
        bad=bad,
        material=_material(ratio, trial),
        lasting=_lasting(counts[1] if ratio > 1 else counts[0])
        and float(rates.p_value[place]) < _REMARKABLE
        and rate_persists(*counts, (trial.exposures.baseline, trial.exposures.candidate), trial.paired),
        freedom=float(rates.freedom[place]),
        error=float(rates.error[place]) if rates.baseline[place] > 0 else None,
        least=trial.rules.pattern_change,
        prominence=_ERRORS if bad == "up" else 1.0,
        source=source,
    )


def _material(ratio: float, trial: Trial) -> bool:
    """Twice as many lines, or half of them."""
    factor = 1 + trial.rules.pattern_change
    return ratio >= factor or ratio <= 1 / factor


def _lasting(counts: Floats) -> bool:
    """In at least three windows, and in both halves of the time: a start-up or a burst is not a pattern."""
    half = len(counts) // 2
    return bool(np.count_nonzero(counts) >= 3 and counts[:half].any() and counts[half:].any())
