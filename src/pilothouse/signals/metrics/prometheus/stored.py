"""The engine's tables as a store for PromQL.

What is asked: which series (`finding`, mostly from memory), then their samples, as far as possible already worked out
by the engine (`gridding`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.engine import Budget
from pilothouse.signals.metrics.prometheus.catalogue import Catalogue, Entry
from pilothouse.signals.metrics.prometheus.choosing import among, chosen, in_pieces
from pilothouse.signals.metrics.prometheus.distributions import DistributionReader
from pilothouse.signals.metrics.prometheus.finding import Finder
from pilothouse.signals.metrics.prometheus.found import FoundSeries
from pilothouse.signals.metrics.prometheus.gridding import GRIDS, grid
from pilothouse.signals.metrics.prometheus.held import Read, Rows
from pilothouse.signals.metrics.prometheus.joining import joined
from pilothouse.signals.metrics.prometheus.metric import Metric
from pilothouse.signals.metrics.prometheus.remembering import Reading, memory_of
from pilothouse.signals.metrics.prometheus.targets import target_info
from pilothouse.signals.metrics.promql import windowing
from pilothouse.signals.metrics.promql.labels import Labels, is_repeated
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.matrix import Floats, Ints
from pilothouse.signals.metrics.promql.selection import Gridded, Selection, Windowing, nothing

if TYPE_CHECKING:
    from pilothouse.engine import Engine

_MOST_WINDOWS = 11_001
# Below so many samples two threads take half as much CPU again as one, and gain nothing that a person would notice.
_WORTH_THREADS = 1_000_000
_USUAL_INTERVAL = 15_000


class StoredMetrics:
    """`Storage` on the tables `series`, `samples` and `distributions`. May be used from any thread."""

    def __init__(self, engine: Engine, budget: Budget | None = None) -> None:
        self._engine, self._budget = engine, budget
        self._finder, self._memory = Finder(engine), memory_of(engine)

    def limited(self, budget: Budget) -> StoredMetrics:
        """The same store for one query, under its own budget (whose name cancels it)."""
        other = StoredMetrics.__new__(StoredMetrics)
        other._engine, other._budget = self._engine, budget
        other._finder, other._memory = self._finder, self._memory
        return other

    @property
    def catalogue(self) -> Catalogue:
        """Which metrics there are."""
        return self._finder.catalogue

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> Selection:
        """See `Storage.select`."""
        wanted = self.catalogue.matching(matchers)
        found = self._series(matchers, [entry for entry in wanted if entry[2] != "info"], start, end)
        parts = []
        is_plain = found.parts == {"value"}
        if numbers := found if is_plain else FoundSeries(series for series in found if series.part == "value"):
            parts.append(self._samples(matchers, numbers, start, end))
        if spread := [] if is_plain else [series for series in found if series.part != "value"]:
            parts.append(DistributionReader(self._engine, self._budget).read(spread, matchers, start, end))
        if any(part == "info" for _, _, part in wanted):
            parts.append(target_info(self._engine, matchers, start, end, self._budget))
        return joined(parts)

    def gridded(self, function: str, matchers: Sequence[Matcher], windows: Windowing) -> Gridded | None:
        """See `Storage.gridded`. Only for numbers: histograms and deltas are worked out from their samples."""
        if not (function in GRIDS or function in windowing.FUNCTIONS) or windows.count > _MOST_WINDOWS:
            return None
        wanted = self.catalogue.matching(matchers)
        if not wanted or any(part != "value" or metric.temporality == 1 for metric, _, part in wanted):
            return None
        found = self._series(matchers, wanted, windows.first - windows.length, windows.last)
        if is_repeated(found.labels):
            return None
        of = self._of(found)
        start = windows.first - windows.length + 1
        reading = self._reading(of, cached=False)
        with self._memory.held(tuple(matchers), found.numbers, start, windows.last, reading) as held:
            if held and function in windowing.FUNCTIONS:
                values, present, samples = held[0].windowed(function, held[1], windows)
                return Gridded(found.labels, values, present, samples)
        if function not in GRIDS:
            return None
        return grid(self._engine, function, found, of, windows, self._thrifty(found, windows))

    def series(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Labels]:
        """The label sets that fit and were there between two times (milliseconds); those of buckets included."""
        wanted = self.catalogue.matching(matchers)
        found = self._series(matchers, [entry for entry in wanted if entry[2] != "info"], start, end)
        labels = {series.labels for series in found if series.part not in ("bucket", "quantile")}
        if spread := [series for series in found if series.part in ("bucket", "quantile")]:
            reader = DistributionReader(self._engine, self._budget)
            labels |= set(reader.read(spread, matchers, max(start, end - 86_400_000), end).labels)
        if any(part == "info" for _, _, part in wanted):
            labels |= set(target_info(self._engine, matchers, start, end, self._budget).labels)
        return sorted(labels, key=lambda one: one.pairs)

    def found(self, matchers: Sequence[Matcher], start: int, end: int) -> FoundSeries:
        """The stored series that fit, whatever part of them is selected."""
        wanted = [entry for entry in self.catalogue.matching(matchers) if entry[2] != "info"]
        return self._series(matchers, wanted, start, end)

    def exemplar_rows(self, numbers: list[int], start: int, end: int, most: int) -> list[dict[str, Any]]:
        """Exemplars of series by time, at most so many."""
        rows: list[dict[str, Any]] = self._engine.query(
            f"""SELECT series, toUnixTimestamp64Milli(time) AS at, value, trace_id, span_id, attributes
                FROM exemplars
                WHERE series IN {{numbers:Array(UInt64)}}
                  AND time >= fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')
                  AND time <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC')
                ORDER BY time LIMIT {most}""",
            {"numbers": numbers, "first": max(start, 0), "last": max(end, 0)},
            self._budget,
        ).to_pylist()
        return rows

    def _series(self, matchers: Sequence[Matcher], wanted: Sequence[Entry], start: int, end: int) -> FoundSeries:
        return self._finder.find(matchers, wanted, start, end, self._budget)

    def _thrifty(self, found: FoundSeries, windows: Windowing) -> Budget | None:
        """The budget with one thread where a second one would cost more than it gives."""
        samples = len(found) * (windows.last - windows.first + windows.length) / _USUAL_INTERVAL
        return self._budget if samples > _WORTH_THREADS else replace(self._budget or Budget(), threads=1)

    def _of(self, found: FoundSeries) -> int:
        """How many series there are of the one metric of these; 0 when they are of several."""
        return len(self.catalogue.series(found.metric).numbers) if found.metric else 0

    def _samples(self, matchers: Sequence[Matcher], found: FoundSeries, start: int, end: int) -> Selection:
        numbers, of = found.numbers, self._of(found)
        with self._memory.held(tuple(matchers), numbers, start, end, self._reading(of, cached=False)) as held:
            if held:
                offsets, times, values = held[0].samples(held[1], start, end)
                there = np.flatnonzero(np.diff(offsets))
                offsets = np.append(offsets[there], offsets[-1])
        if not held:
            there, offsets, times, values = _sorted_out(
                numbers, list(self._reading(of, cached=True)(numbers, start, end))
            )
        if not len(there):
            return nothing()
        labels = found.labels if np.array_equal(there, np.arange(len(found))) else [found[row].labels for row in there]
        selection = Selection(labels, offsets, times, values)
        is_usual = found.metric is not None and found.metric.temporality != 1
        return selection if is_usual else _cumulative(selection, [found[row].metric for row in there])

    def _reading(self, of: int, cached: bool) -> Reading:
        """How the samples of some of `of` series of one metric (0: of several) are read.

        What stays in memory as samples need not stay there as blocks too: `cached` is for what does not.
        """
        # One thread reads them in order for three quarters of what two take, which sort.
        budget = self._budget if cached else replace(self._budget or Budget(), cached=False, threads=1)

        def read(numbers: list[int], start: int, end: int) -> Iterator[Read]:
            # What is asked for to the end of time ends now.
            duration = min(end, round(time.time() * 1000)) - start
            for piece, of_piece, limited in in_pieces(numbers, of, duration, budget):
                yield read_piece(piece, of_piece, start, end, limited)

        def read_piece(numbers: list[int], of: int, start: int, end: int, budget: Budget | None) -> Read:
            condition, chosen_numbers = chosen(numbers, of)
            table = self._engine.query(
                f"""SELECT series, toUnixTimestamp64Milli(time) AS at, number, divisor FROM samples
                   WHERE {condition}
                     AND time >= fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')
                     AND time <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC')
                   ORDER BY series, time""",
                {**chosen_numbers, "first": max(start, 0), "last": max(end, 0)},
                budget,
            )
            return Read(Rows(*(column.to_numpy() for column in block.columns)) for block in table.to_batches())

        return read


def _sorted_out(numbers: list[int], pieces: list[Read]) -> tuple[Ints, Ints, Ints, Floats]:
    """Of which of these series there are samples, where each begins (and all end), times and values."""
    wanted = np.array(numbers, np.uint64)
    order = np.argsort(wanted)
    series, times, values = Read(block for piece in pieces for block in piece.blocks).plain()
    # The answer may hold series that are not wanted.
    if len(series) and (kept := among(series, wanted[order])) is not None:
        series, times, values = series[kept], times[kept], values[kept]
    begins = np.flatnonzero(np.append(True, series[1:] != series[:-1])) if len(series) else np.zeros(0, np.int64)
    there = order[np.searchsorted(wanted[order], series[begins])]
    return there, np.append(begins, len(series)).astype(np.int64), times, values


def _cumulative(selection: Selection, metrics: list[Metric]) -> Selection:
    """Deltas added up from the first sample on: PromQL's counters are cumulative."""
    for row, metric in enumerate(metrics):
        if metric.type == "sum" and metric.temporality == 1:
            span = slice(selection.offsets[row], selection.offsets[row + 1])
            selection.values[span] = np.cumsum(selection.values[span])
    return selection
