"""`load_with_nhcb`: classic histogram series as native histograms with custom buckets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from pilothouse.signals.metrics.promql.histogram import CUSTOM, Histogram
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matcher import NAME
from tests.promqltest.commands import Loaded

_SUFFIXES = ("_bucket", "_count", "_sum")


@dataclass(slots=True)
class _Point:
    buckets: dict[float, float] = field(default_factory=dict)
    count: float | None = None
    sum: float = 0.0


def converted(series: list[Loaded], step: int) -> Iterator[tuple[Labels, int, Histogram]]:
    """The histograms that classic series make together: labels, time in milliseconds, histogram."""
    points: dict[Labels, dict[int, _Point]] = {}
    for loaded in series:
        suffix = next((suffix for suffix in _SUFFIXES if loaded.labels.name.endswith(suffix)), "")
        if not suffix:
            continue
        upper = float(loaded.labels.get("le") or "nan") if suffix == "_bucket" else 0.0
        if upper != upper:
            continue
        base = loaded.labels.without(("le",)).setting({NAME: loaded.labels.name.removesuffix(suffix)})
        for place, value in enumerate(loaded.values):
            if value is None or isinstance(value, Histogram):
                continue
            point = points.setdefault(base, {}).setdefault(place * step, _Point())
            if suffix == "_bucket":
                point.buckets[upper] = value
            elif suffix == "_count":
                point.count = value
            else:
                point.sum = value
    for labels, times in points.items():
        for time, point in sorted(times.items()):
            yield labels, time, _histogram(point)


def _histogram(point: _Point) -> Histogram:
    uppers = sorted(point.buckets)
    count = point.count
    if count is None:
        count = point.buckets[uppers[-1]] if uppers else 0.0
    if not uppers or uppers[-1] != math.inf:
        point.buckets[math.inf] = count
        uppers.append(math.inf)
    counts, before = {}, 0.0
    for place, upper in enumerate(uppers):
        if point.buckets[upper] != before:
            counts[place] = point.buckets[upper] - before
        before = point.buckets[upper]
    return Histogram(CUSTOM, count, point.sum, positive=counts, custom=tuple(uppers[:-1]))
