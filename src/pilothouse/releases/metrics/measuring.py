"""From the engine's answers to measures: laid out by instance and window, and made comparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.metrics.badness import badness, failed, grows_with_load
from pilothouse.releases.metrics.matching import Match, Series
from pilothouse.releases.metrics.measure import Measure, Sort
from pilothouse.releases.reading import column
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    import pyarrow as pa

    from pilothouse.releases.statistics import Floats
    from pilothouse.releases.trial import Trial
    from pilothouse.releases.window import Windows

Tables = Both[dict[str, "pa.Table"]]


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure and where it came from."""

    match: Match
    measure: Measure


class Laid:
    """One answer's columns by series, to be laid out as [instances, windows]."""

    def __init__(self, table: pa.Table | None, windows: int) -> None:
        self._windows = windows
        self._table = table
        self._rows: dict[int, Any] = {}
        if table is None or not table.num_rows:
            return
        series = column(table, "series")
        order = np.argsort(series, kind="stable")
        distinct, starts = np.unique(series[order], return_index=True)
        self._rows = dict(zip(distinct.tolist(), np.split(order, starts[1:]), strict=True))
        self._w = column(table, "w")
        self._values = {name: column(table, name) for name in table.column_names if name not in ("bounds", "counts")}

    def matrix(self, side: tuple[Series, ...], name: str = "amount", mean: bool = False) -> Floats:
        """[identities, windows]: series of one identity added up, or their mean."""
        identities = sorted({one.identity for one in side})
        whole = np.zeros((len(identities), self._windows))
        seen = np.zeros_like(whole)
        for one in side:
            rows = self._rows.get(one.series)
            if rows is None:
                continue
            places = self._w[rows]
            inside = (places >= 0) & (places < self._windows)
            np.add.at(whole[identities.index(one.identity)], places[inside], self._values[name][rows][inside])
            np.add.at(seen[identities.index(one.identity)], places[inside], 1)
        result = np.divide(whole, seen if mean else 1, out=np.full_like(whole, np.nan), where=seen > 0)
        return result[np.isfinite(result).any(1)]


def levels(matches: list[Match], tables: Tables, trial: Trial, windows: Both[Windows]) -> list[Measured]:
    """Gauges, and sums that rise and fall: the mean of a process' gauges, the sum of its sums."""
    laid = _laid(tables, "levels", windows)
    found = []
    for match in matches:
        mean = match.type == "gauge"
        values = Both(
            laid.baseline.matrix(match.series.baseline, mean=mean),
            laid.candidate.matrix(match.series.candidate, mean=mean),
        )
        bad = badness(match.name, dict(match.labels), "level")
        noted = ""
        if bad != "neither" and not trial.same_load and grows_with_load(match.name):
            bad, noted = "neither", sentence("follows the traffic, which was not the same")
        found.append(_measured(match, "level", values, bad=bad, noted=noted))
    return found


def counters(matches: list[Match], tables: Tables, trial: Trial, windows: Both[Windows]) -> list[Measured]:
    """Counters by what they grew, per request when the traffic differs, else per second."""
    laid = _laid(tables, "increases", windows)
    exposures, noted = exposed(trial, windows)
    found = []
    for match in matches:
        values = Both(laid.baseline.matrix(match.series.baseline), laid.candidate.matrix(match.series.candidate))
        bad = badness(match.name, dict(match.labels), "rate")
        found.append(_measured(match, "rate", values, bad=bad, exposures=exposures, noted=noted))
    return found


def histograms(matches: list[Match], tables: Tables, trial: Trial, windows: Both[Windows]) -> list[Measured]:
    """Distributions by their mean; those of failures also by how many there were."""
    laid = _laid(tables, "distributions", windows)
    exposures, noted = exposed(trial, windows)
    found = []
    for match in matches:
        labels = dict(match.labels)
        counts = Both(
            laid.baseline.matrix(match.series.baseline, "n"), laid.candidate.matrix(match.series.candidate, "n")
        )
        sums = Both(
            laid.baseline.matrix(match.series.baseline, "added"),
            laid.candidate.matrix(match.series.candidate, "added"),
        )
        bad = badness(match.name, labels, "mean")
        found.append(_measured(match, "mean", _ratio(sums, counts), bad=bad))
        if failed(labels):
            found.append(_measured(match, "count", counts, bad="up", exposures=exposures, noted=noted))
    return found


def exposed(trial: Trial, windows: Both[Windows]) -> tuple[Both[Floats], str]:
    """What increases are divided by in each window, and in words why."""
    if trial.same_load:
        return Both(*(np.full(one.count, one.seconds) for one in windows)), ""
    sides = zip(trial.sides, windows, strict=True)
    requests = Both(*(_regrouped(side.requests, one.count) for side, one in sides))
    return requests, sentence("per request, as the traffic differed")


def _regrouped(requests: Floats, windows: int) -> Floats:
    """Requests per window in fewer windows of the same whole."""
    reached = np.concatenate(([0.0], np.cumsum(requests)))
    places = np.linspace(0, len(requests), windows + 1)
    return np.diff(np.interp(places, np.arange(len(requests) + 1), reached))


def _laid(tables: Tables, name: str, windows: Both[Windows]) -> Both[Laid]:
    return Both(
        Laid(tables.baseline.get(name), windows.baseline.count),
        Laid(tables.candidate.get(name), windows.candidate.count),
    )


def _ratio(sums: Both[Floats], counts: Both[Floats]) -> Both[Floats]:
    return Both(
        *(
            np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
            for total, count in zip(sums, counts, strict=True)
        )
    )


def _measured(match: Match, sort: Sort, values: Both[Floats], **more: Any) -> Measured:
    series = sum(len(side) for side in match.series)
    return Measured(match, Measure(match.name, match.labels, match.unit, sort, values, series=series, **more))
