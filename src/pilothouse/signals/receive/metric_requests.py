"""Other protocols' points as one OTLP metric request, so that all go through the same door."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.messages import request_class

DELTA, CUMULATIVE = 1, 2
SCALE = 4
"""Of exponential histograms: a bucket is 4.4 % wide."""
_MOST_BUCKETS = 5_000
# From the first to the last bucket of a point, of which the empty ones take room too; of all points of a request.
_WIDEST, _MOST_TOGETHER = 640, 8_000_000


@dataclass(slots=True)
class Distribution:
    """Values counted into the buckets of an exponential histogram of a scale."""

    scale: int = SCALE
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
        place = min(math.ceil(math.log2(abs(value)) * 2**self.scale) - 1, _MOST_BUCKETS)
        side[place] = side.get(place, 0) + times

    def narrowed(self) -> Distribution:
        """The same, in wider buckets if there would be too many from the first to the last."""
        if all(not side or max(side) - min(side) < _WIDEST for side in (self.positive, self.negative)):
            return self
        sides = [_halved(side) for side in (self.positive, self.negative)]
        return replace(self, scale=self.scale - 1, positive=sides[0], negative=sides[1]).narrowed()


def _halved(side: dict[int, int]) -> dict[int, int]:
    """Two buckets beside each other as one."""
    made: dict[int, int] = {}
    for place, count in side.items():
        made[place >> 1] = made.get(place >> 1, 0) + count
    return made


class MetricRequest:
    """Points by speaker and metric. Times in nanoseconds; `BadRequestError` for those that no request can hold."""

    def __init__(self, scope: str) -> None:
        self._request: Any = request_class("metrics")()
        self._scope = scope
        self._scopes: dict[tuple[tuple[str, str], ...], Any] = {}
        self._metrics: dict[tuple[Any, ...], Any] = {}
        self.points = self._buckets = 0

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
        point.as_double, point.start_time_unix_nano = value, max(start, 0)

    def histogram(
        self, resource: Mapping[str, str], name: str, unit: str, tags: Mapping[str, str], time: int,
        found: Distribution, start: int, temporality: int,
    ) -> None:  # fmt: skip
        """A distribution since `start`. Raises `BadRequestError` for too many together."""
        found = found.narrowed()
        metric = self._metric(resource, name, unit, "exponential_histogram", temporality).exponential_histogram
        point = self._point(metric, tags, time)
        point.start_time_unix_nano = max(start, 0)
        point.count, point.sum, point.scale, point.zero_count = found.count, found.sum, found.scale, found.zeros
        point.min, point.max = found.least, found.most
        for side, counts in ((point.positive, found.positive), (point.negative, found.negative)):
            if counts:
                side.offset = min(counts)
                self._buckets += max(counts) - min(counts) + 1
                if self._buckets > _MOST_TOGETHER:
                    raise BadRequestError(f"more than {_MOST_TOGETHER} buckets in one request")
                side.bucket_counts.extend(counts.get(place, 0) for place in range(min(counts), max(counts) + 1))

    def body(self) -> bytes:
        """The request's bytes."""
        return bytes(self._request.SerializeToString())

    def _point(self, data: Any, tags: Mapping[str, str], time: int) -> Any:
        if not 0 <= time < 1 << 63:
            raise BadRequestError(f"a time of {time // 1_000_000_000} seconds cannot be kept")
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
