"""What StatsD's senders say between two flushes, put together as its servers do it.

Counters go on counting for as long as their sender speaks, as Prometheus has them; timers, histograms and distributions
become exponential histograms, sets the number of their distinct members. What was silent for an hour is forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from pilothouse.signals.receive.datadog_tags import resource_of, tags_of
from pilothouse.signals.receive.metric_requests import CUMULATIVE, Distribution, MetricRequest
from pilothouse.signals.receive.statsd_lines import Check, Metric

SCOPE = "statsd"
_FORGOTTEN_AFTER = 3600.0
_MOST_SERIES = 200_000
_MOST_MEMBERS = 100_000


@dataclass(slots=True)
class _Series:
    name: str
    kind: str
    tags: dict[str, str]
    resource: dict[str, str]
    start: float
    seen: float
    value: float = 0.0
    changed: bool = False
    spread: Distribution = field(default_factory=Distribution)
    members: set[str] = field(default_factory=set)


class Aggregator:
    """Not for several threads. Times are Unix seconds."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, tuple[str, ...]], _Series] = {}
        self._timed: list[tuple[_Series, float, float]] = []
        self.refused = 0

    def add(self, metric: Metric, now: float) -> None:
        """Count one line; it is refused when there are too many series already."""
        one = self._of(metric.name, metric.kind, metric.tags, now)
        if one is None:
            return
        one.seen, one.changed = now, True
        match metric.kind:
            case "counter":
                one.value += math.fsum(map(float, metric.values)) / metric.rate
            case "gauge":
                self._gauge(one, metric)
            case "set":
                if len(one.members) < _MOST_MEMBERS:
                    one.members.update(metric.values)
            case _:
                times = max(1, round(1 / metric.rate))
                for value in metric.values:
                    one.spread.add(float(value), times)

    def check(self, check: Check, now: float) -> None:
        """A service check is a gauge of its status."""
        self.add(Metric(check.name, "gauge", [str(check.status)], 1.0, check.tags, check.time), now)

    def _gauge(self, one: _Series, metric: Metric) -> None:
        for text in metric.values:
            # StatsD's `+3` moves the gauge. Its `-3` does too, but means minus three in DogStatsD, which goes first.
            one.value = one.value + float(text) if text.startswith("+") else float(text)
        if metric.time:
            self._timed.append((one, metric.time, one.value))

    def _of(self, name: str, kind: str, tags: tuple[str, ...], now: float) -> _Series | None:
        key = name, kind, tags
        one = self._series.get(key)
        if one is None:
            if len(self._series) >= _MOST_SERIES:
                self.refused += 1
                return None
            said = tags_of(tags)
            one = self._series[key] = _Series(name, kind, said, resource_of(said), now, now)
        return one

    def flush(self, now: float) -> MetricRequest:
        """All that there is to say now."""
        made = MetricRequest(SCOPE)
        time = round(now * 1e9)
        for one, at, value in self._timed:
            made.gauge(one.resource, one.name, "", one.tags, round(at * 1e9), value)
        self._timed = []
        for one in self._series.values():
            self._tell(made, one, time)
        self._series = {
            key: one for key, one in self._series.items() if now - one.seen < _FORGOTTEN_AFTER and one.kind != "set"
        }
        return made

    @staticmethod
    def _tell(made: MetricRequest, one: _Series, time: int) -> None:
        start = round(one.start * 1e9)
        match one.kind:
            case "counter":
                made.sum(one.resource, one.name, "", one.tags, time, one.value, start, CUMULATIVE)
            case "gauge":
                made.gauge(one.resource, one.name, "", one.tags, time, one.value)
            case "set":
                made.gauge(one.resource, one.name, "", one.tags, time, float(len(one.members)))
            case _:
                unit = "ms" if one.kind == "timer" else ""
                made.histogram(one.resource, one.name, unit, one.tags, time, one.spread, start, CUMULATIVE)


def lines_of(packet: bytes) -> Iterable[str]:
    """The lines of a packet."""
    return (line for line in packet.decode("utf-8", "replace").split("\n") if line)
