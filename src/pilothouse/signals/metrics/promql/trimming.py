"""`</` and `>/`: a native histogram without what lies above or below a value.

Where a bucket is cut, its observations are taken to be spread evenly (custom and zero buckets) or exponentially. What
an infinite bucket holds cannot be known; which of it stays, and at what value, is as in Prometheus' `TrimBuckets`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from pilothouse.signals.metrics.promql.histogram import Bucket, Histogram

Kept = tuple[float, float]
"""How many observations of a bucket are kept, and the value that they are taken to have."""


def trimmed(histogram: Histogram, edge: float, keep_lower: bool) -> Histogram:
    """Only the observations up to `edge` (or from it on)."""
    positive, negative = dict(histogram.positive), dict(histogram.negative)
    zero_count, count, total, touched = histogram.zero_count, 0.0, 0.0, False
    for buckets, index, bucket in _sided(histogram, positive, negative):
        if not bucket.count:
            continue
        kept, middle = _kept(bucket, edge, keep_lower, buckets is positive, histogram.is_custom)
        count, total = count + kept, total + middle * kept
        touched |= kept != bucket.count
        buckets[index] = kept
    if zero_count > 0:
        zero_count, middle = _kept_of_zero(histogram, edge, keep_lower)
        count, total = count + zero_count, total + middle * zero_count
        touched |= zero_count != histogram.zero_count
    if not touched:
        return replace(histogram, hint="gauge").compacted()
    return replace(
        histogram, count=count, sum=total, zero_count=zero_count, positive=positive, negative=negative, hint="gauge"
    ).compacted()


def _sided(
    histogram: Histogram, positive: dict[int, float], negative: dict[int, float]
) -> Iterator[tuple[dict[int, float], int, Bucket]]:
    for index, count in sorted(positive.items()):
        yield positive, index, Bucket(histogram.lower(index), histogram.upper(index), count)
    for index, count in sorted(negative.items()):
        yield negative, index, Bucket(-histogram.upper(index), -histogram.lower(index), count)


def _kept(bucket: Bucket, edge: float, keep_lower: bool, positive: bool, linear: bool) -> Kept:
    lower, upper = bucket.lower, bucket.upper
    if upper <= edge if keep_lower else lower >= edge:
        return bucket.count, _middle(lower, upper, positive, linear)
    if lower >= edge if keep_lower else upper <= edge:
        return 0.0, 0.0
    if lower == -math.inf:
        return _kept_of_lowest(bucket, edge, keep_lower)
    if upper == math.inf:
        return (0.0, 0.0) if keep_lower else (bucket.count, edge)
    below = bucket.count * _share_below(bucket, edge, linear)
    if keep_lower:
        return below, _middle(lower, edge, positive, linear)
    return bucket.count - below, _middle(edge, upper, positive, linear)


def _kept_of_lowest(bucket: Bucket, edge: float, keep_lower: bool) -> Kept:
    """Of a bucket without a lower bound that holds the edge: with a positive upper bound it begins at zero."""
    upper = bucket.upper
    if 0 < upper < math.inf and (edge > 0 if keep_lower else edge >= 0):
        share = edge / upper
        return (bucket.count * share, edge / 2) if keep_lower else (bucket.count * (1 - share), (edge + upper) / 2)
    return (bucket.count, edge) if keep_lower and upper <= 0 else (0.0, 0.0)


def _kept_of_zero(histogram: Histogram, edge: float, keep_lower: bool) -> Kept:
    lower, upper = -histogram.zero_threshold, histogram.zero_threshold
    below, above = any(histogram.negative.values()), any(histogram.positive.values())
    if below and not above:
        upper = 0.0
    if above and not below:
        lower = 0.0
    if edge >= upper if keep_lower else edge <= lower:
        return histogram.zero_count, (lower + upper) / 2
    if edge <= lower if keep_lower else edge >= upper:
        return 0.0, 0.0
    share = (edge - lower if keep_lower else upper - edge) / (upper - lower)
    return histogram.zero_count * share, (lower + edge if keep_lower else edge + upper) / 2


def _share_below(bucket: Bucket, edge: float, linear: bool) -> float:
    if linear:
        return (edge - bucket.lower) / (bucket.upper - bucket.lower)
    low, high, at = (math.log2(abs(value)) for value in (bucket.lower, bucket.upper, edge))
    return (at - low) / (high - low)


def _middle(lower: float, upper: float, positive: bool, linear: bool) -> float:
    if math.isinf(lower):
        return 0.0 if math.isinf(upper) else upper / 2 if upper > 0 else upper
    if math.isinf(upper):
        return lower
    if linear:
        return (lower + upper) / 2
    middle = math.sqrt(abs(lower * upper))
    return middle if positive else -middle
