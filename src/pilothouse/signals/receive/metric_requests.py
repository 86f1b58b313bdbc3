"""Other protocols' points as one OTLP metric request, so that all go through the same door."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilothouse.signals.receive.messages import request_class

DELTA, CUMULATIVE = 1, 2
SCALE = 4
"""Of exponential histograms: a bucket is 4.4 % wide."""
_MOST_BUCKETS = 5_000


@dataclass(slots=True)
class Distribution:
    """Values counted into the buckets of an exponential histogram."""

    count: int = 0
    sum: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    zeros: int = 0
    positive: dict[int, int] = field(default_factory=dict)
    negative: dict[int, int] = field(default_factory=dict)

    def add(self, value: float, times: int = 1) -> None:
        """Count a value; what is no finite number does not count."""
        if not math.isfinite(value):
            return
        self.count += times
        self.sum += value * times
        self.least, self.most = min(self.least, value), max(self.most, value)
        # Below this the buckets would reach too far.
        if abs(value) < 1e-12:
            self.zeros += times
            return
        side = self.positive if value > 0 else self.negative
        place = min(math.ceil(math.log2(abs(value)) * 2**SCALE) - 1, _MOST_BUCKETS)
        side[place] = side.get(place, 0) + times


class MetricRequest:
    """Points by speaker and metric. Times in nanoseconds."""

    def __init__(self, scope: str) -> None:
        self._request: Any = request_class("metrics")()
        self._scope = scope
        self._scopes: dict[tuple[tuple[str, str], ...], Any] = {}
        self._metrics: dict[tuple[Any, ...], Any] = {}
        self.points = 0

    def gauge(
        self, resource: Mapping[str, str], name: str, unit: str, tags: Mapping[str, str], time: int, value: float
    ) -> None:
        """A value at a time."""
        point = self._point(self._metric(resource, name, unit, "gauge", 0).gauge, tags, time)
        point.as_double = value

    def sum(
        self, resource: Mapping[str, str], name: str, unit: str, tags: Mapping[str, str], time: int, value: float,
        start: int, temporality: int,
    ) -> None:  # fmt: skip
        """A count since `start`."""
        point = self._point(self._metric(resource, name, unit, "sum", temporality).sum, tags, time)
        point.as_double, point.start_time_unix_nano = value, start

    def histogram(
        self, resource: Mapping[str, str], name: str, unit: str, tags: Mapping[str, str], time: int,
        found: Distribution, start: int, temporality: int,
    ) -> None:  # fmt: skip
        """A distribution since `start`."""
        metric = self._metric(resource, name, unit, "exponential_histogram", temporality).exponential_histogram
        point = self._point(metric, tags, time)
        point.start_time_unix_nano = start
        point.count, point.sum, point.scale, point.zero_count = found.count, found.sum, SCALE, found.zeros
        point.min, point.max = found.least, found.most
        for side, counts in ((point.positive, found.positive), (point.negative, found.negative)):
            if counts:
                side.offset = min(counts)
                side.bucket_counts.extend(counts.get(place, 0) for place in range(min(counts), max(counts) + 1))

    def body(self) -> bytes:
        """The request's bytes."""
        return bytes(self._request.SerializeToString())

    def _point(self, data: Any, tags: Mapping[str, str], time: int) -> Any:
        point = data.data_points.add()
        point.time_unix_nano = time
        _put(point.attributes, tags.items())
        self.points += 1
        return point

    def _metric(self, resource: Mapping[str, str], name: str, unit: str, kind: str, temporality: int) -> Any:
        speaker = tuple(sorted(resource.items()))
        key = (speaker, name, unit, kind, temporality)
        if key not in self._metrics:
            if speaker not in self._scopes:
                made = self._request.resource_metrics.add()
                _put(made.resource.attributes, speaker)
                self._scopes[speaker] = made.scope_metrics.add()
                self._scopes[speaker].scope.name = self._scope
            metric = self._metrics[key] = self._scopes[speaker].metrics.add()
            metric.name, metric.unit = name, unit
            data = getattr(metric, kind)
            if temporality:
                data.aggregation_temporality = temporality
            if kind == "sum":
                data.is_monotonic = True
            data.SetInParent()
        return self._metrics[key]


def _put(attributes: Any, pairs: Iterable[tuple[str, str]]) -> None:
    for name, value in pairs:
        one = attributes.add()
        one.key, one.value.string_value = name, value
