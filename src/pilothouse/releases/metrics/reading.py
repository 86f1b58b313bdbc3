"""From the tables of metrics to measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.metrics import sql
from pilothouse.releases.metrics.ageing import at_equal_age
from pilothouse.releases.metrics.badness import about_memory
from pilothouse.releases.metrics.matching import Match, Series, matched
from pilothouse.releases.metrics.measure import Measures
from pilothouse.releases.metrics.measuring import counters, histograms, levels
from pilothouse.releases.reading import BUDGET, bound, column

if TYPE_CHECKING:
    import pyarrow as pa

    from pilothouse.engine import Engine
    from pilothouse.releases.trial import Side, Trial
    from pilothouse.releases.window import Windows

# A window holds at least two points of a series, or it would be empty by chance.
_POINTS_PER_WINDOW = 2.0


def read(engine: Engine, trial: Trial) -> Measures:
    """All measures of both sides. A metric that only one side has is left out: there is nothing to compare."""
    sides = trial.sides.map(lambda side: _series(engine, side))
    matches = [one for one in matched(sides) if all(one.series)]
    windows = trial.sides.map(lambda side: _windows(engine, side, matches, trial))
    if trial.paired:
        shared = min(windows, key=lambda one: one.count)
        windows = Both(shared, shared)
    gauges = [one for one in matches if one.type in ("gauge", "sum") and not one.cumulative]
    counted = [one for one in matches if one.type == "sum" and one.cumulative]
    spread = [one for one in matches if one.type in ("histogram", "exponential_histogram", "summary")]
    aged = at_equal_age(engine, trial, windows, [one for one in gauges if about_memory(one.name, one.unit)])
    done = {measured.match.key for measured in aged}
    tables = Both(
        _answers(engine, trial.sides.baseline, windows.baseline, [one.series.baseline for one in matches]),
        _answers(engine, trial.sides.candidate, windows.candidate, [one.series.candidate for one in matches]),
    )
    measures = [
        *aged,
        *levels([one for one in gauges if one.key not in done], tables, trial, windows),
        *counters(counted, tables, trial, windows),
        *histograms(spread, tables, trial, windows),
    ]
    return Measures(
        tuple(one.measure for one in measures),
        series=sum(len(side) for side in sides),
        cut_off=any(len(side) > sql.MOST_SERIES for side in sides),
    )


def _series(engine: Engine, side: Side) -> list[Series]:
    table = engine.query(sql.SERIES, {"identities": side.identities}, BUDGET)
    return [
        Series(
            row["name"], row["series"], row["identity"], dict(row["labels"]), row["type"], row["unit"],
            row["temporality"], bool(row["is_monotonic"]),
        )
        for row in table.to_pylist()
    ]  # fmt: skip


def _windows(engine: Engine, side: Side, matches: list[Match], trial: Trial) -> Windows:
    position = 0 if side is trial.sides.baseline else 1
    series = [one.series for match in matches for one in tuple(match.series)[position]]
    if not series:
        return side.windows
    table = engine.query(sql.INTERVAL, bound(side) | {"series": series}, BUDGET)
    seconds = column(table, "seconds")
    if not len(seconds) or not np.isfinite(seconds[0]):
        return side.windows
    return side.windows.at_least(_POINTS_PER_WINDOW * float(seconds[0]))


def _answers(engine: Engine, side: Side, windows: Windows, matches: list[tuple[Series, ...]]) -> dict[str, pa.Table]:
    """The three questions of one side; each answers for its own series only."""
    chosen: dict[str, list[Series]] = {"levels": [], "increases": [], "distributions": []}
    for one in (one for match in matches for one in match):
        chosen[_question(one)].append(one)
    texts = {"levels": sql.LEVELS, "increases": sql.INCREASES, "distributions": sql.DISTRIBUTIONS}
    answers = {}
    for name, series in chosen.items():
        if series:
            parameters: dict[str, Any] = bound(side, windows) | {"series": [one.series for one in series]}
            if name != "levels":
                parameters["temporalities"] = [one.temporality for one in series]
            answers[name] = engine.query(texts[name], parameters, BUDGET)
    return answers


def _question(one: Series) -> str:
    if one.type not in ("gauge", "sum"):
        return "distributions"
    return "increases" if one.is_monotonic else "levels"
