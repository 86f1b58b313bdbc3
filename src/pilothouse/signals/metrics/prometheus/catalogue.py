"""Which metrics and series there are: all their numbers and times in memory, brought up to date as they grow.

A series takes some two hundred bytes here; its labels are read when a query first wants them (`labelling`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.metrics.prometheus.metric import PROMETHEUS_SCOPE, TARGET_INFO, Metric, Part
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.matrix import Ints

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# A new series may stay unknown for so many seconds.
_FRESH = 0.25
# Rows are stamped before they can be read; so much of what was read is read again, in milliseconds.
_OVERLAP = 30_000
# So often all is read anew, in seconds: series whose samples are gone are forgotten.
_RENEWED = 86_400.0

Entry = tuple[Metric, str, Part]


@dataclass(slots=True)
class SeriesOf:
    """The series of one metric, in the order in which they were found; times in milliseconds."""

    numbers: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)
    changes: int = 0
    _times: tuple[int, Ints, Ints] | None = None

    def times(self) -> tuple[Ints, Ints]:
        """When each was first and last seen."""
        if self._times is None or self._times[0] != self.changes:
            self._times = self.changes, np.array(self.firsts, np.int64), np.array(self.lasts, np.int64)
        return self._times[1], self._times[2]


class Catalogue:
    """The metrics and series of a store. May be used from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._series: dict[Metric, SeriesOf] = {}
        self._named: dict[str, list[Entry]] = {}
        self._places: dict[tuple[int, Metric], int] = {}
        self._read_at = -_FRESH
        self._noted = 0
        self._writes: int | None = None
        self._renewed = time.monotonic()

    def metrics(self) -> tuple[Metric, ...]:
        """All metrics, by name."""
        with self._lock:
            self._refresh()
            return tuple(sorted(self._series, key=lambda metric: (metric.name, metric.type, metric.unit)))

    def matching(self, matchers: Sequence[Matcher]) -> list[Entry]:
        """The metrics whose name fits, each with that name and the part it shows."""
        named = [matcher for matcher in matchers if matcher.label == NAME]
        with self._lock:
            self._refresh()
            return [
                entry
                for name in self._candidates(named)
                if all(matcher.matches(name) for matcher in named)
                for entry in self._named.get(name, ())
            ] + ([(TARGET_INFO, TARGET_INFO.name, "info")] if all(m.matches(TARGET_INFO.name) for m in named) else [])

    def _candidates(self, named: list[Matcher]) -> list[str]:
        equal = next((matcher.value for matcher in named if matcher.operator == "="), None)
        return sorted(self._named) if equal is None else [equal]

    def series(self, metric: Metric) -> SeriesOf:
        """Its series. What was found stays in place, more may be added at the end; another object begins anew."""
        with self._lock:
            return self._series.get(metric) or SeriesOf()

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at <= _FRESH:
            return
        if time.monotonic() - self._renewed > _RENEWED:
            self._series, self._named, self._places = {}, {}, {}
            self._noted, self._writes, self._renewed = 0, None, time.monotonic()
        writes = self._engine.writes("series")
        if writes is not None and writes == self._writes:
            return
        for metric, number, first, last in self._rows():
            self._note(metric, number, first, last)
        self._read_at, self._writes = time.monotonic(), writes

    def _note(self, metric: Metric, number: int, first: int, last: int) -> None:
        series = self._series.get(metric)
        if series is None:
            series = self._series[metric] = SeriesOf()
            for name, part in metric.parts:
                self._named.setdefault(name, []).append((metric, name, part))
                self._named[name].sort(key=lambda entry: (entry[0].name, entry[0].type, entry[0].unit))
        place = self._places.setdefault((number, metric), len(series.numbers))
        if place == len(series.numbers):
            series.numbers.append(number)
            series.firsts.append(first)
            series.lasts.append(last)
        else:
            series.firsts[place] = min(series.firsts[place], first)
            series.lasts[place] = max(series.lasts[place], last)
        series.changes += 1

    def _rows(self) -> Iterator[tuple[Metric, int, int, int]]:
        """What was noted since the last time."""
        table = self._engine.query(
            f"""SELECT series, name, type, unit, temporality, is_monotonic, scope_name = '{PROMETHEUS_SCOPE}' AS prom,
                       toUnixTimestamp64Milli(min(first_seen)) AS first, toUnixTimestamp64Milli(max(last_seen)) AS last,
                       toUnixTimestamp64Milli(max(noted)) AS at
                FROM series WHERE noted >= fromUnixTimestamp64Milli({{noted:Int64}}, 'UTC')
                GROUP BY series, name, type, unit, temporality, is_monotonic, prom""",
            {"noted": max(self._noted - _OVERLAP, 0)},
        )
        *described, at = (column.to_pylist() for column in table.columns)
        self._noted = max(at, default=self._noted)
        known: dict[Any, Metric] = {}
        for number, name, kind, unit, temporality, monotonic, prom, first, last in zip(*described, strict=True):
            key = name, kind, unit, temporality, bool(monotonic), bool(prom)
            metric = known.get(key) or known.setdefault(key, Metric(*key))
            yield metric, number, first, last
