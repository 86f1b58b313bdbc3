"""`</` and `>/`: a native histogram without what lies above or below a value."""

from __future__ import annotations

import math
from dataclasses import replace

from pilothouse.signals.metrics.promql.histogram import Bucket, Histogram


def trimmed(histogram: Histogram, edge: float, keep_lower: bool) -> Histogram:
    """Only the observations up to `edge` (or from it on); within its bucket they are taken to be spread evenly."""
    shares = {(side, index): _share(bucket, edge, keep_lower, histogram) for side, index, bucket in _sided(histogram)}
    zero = Bucket(-histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count)
    zero_share = _share(_zero_trimmed(zero, histogram), edge, keep_lower, histogram) if histogram.zero_count else 1.0
    positive = {index: count * shares[True, index] for index, count in histogram.positive.items()}
    negative = {index: count * shares[False, index] for index, count in histogram.negative.items()}
    zero_count = histogram.zero_count * zero_share
    count = zero_count + sum(positive.values()) + sum(negative.values())
    untouched = zero_share == 1.0 and all(share == 1.0 for share in shares.values())
    total = histogram.sum if untouched else _estimated(histogram, shares, zero_share, edge, keep_lower)
    if untouched:
        count = histogram.count
    return replace(
        histogram, count=count, sum=total, zero_count=zero_count, positive=positive, negative=negative, hint="gauge"
    ).compacted()


def _sided(histogram: Histogram) -> list[tuple[bool, int, Bucket]]:
    found = []
    for index, count in histogram.positive.items():
        found.append((True, index, Bucket(histogram._lower(index), histogram.upper(index), count)))
    for index, count in histogram.negative.items():
        found.append((False, index, Bucket(-histogram.upper(index), -histogram._lower(index), count)))
    return found


def _zero_trimmed(zero: Bucket, histogram: Histogram) -> Bucket:
    if not histogram.negative and histogram.positive:
        return Bucket(0.0, zero.upper, zero.count)
    if not histogram.positive and histogram.negative:
        return Bucket(zero.lower, 0.0, zero.count)
    return zero


def _share(bucket: Bucket, edge: float, keep_lower: bool, histogram: Histogram) -> float:
    """How much of a bucket is kept."""
    below = _below(bucket, edge, histogram)
    return below if keep_lower else 1.0 - below


def _below(bucket: Bucket, edge: float, histogram: Histogram) -> float:
    lower, upper = bucket.lower, bucket.upper
    if edge >= upper:
        return 1.0
    if histogram.is_custom and lower == -math.inf and upper > 0:
        lower = 0.0
    if edge <= lower:
        return 0.0
    if math.isinf(lower) or math.isinf(upper):
        return 1.0 if math.isinf(lower) and edge >= upper else 0.0
    if histogram.is_custom or lower <= 0 <= upper:
        return (edge - lower) / (upper - lower)
    low, high, at = math.log2(abs(lower)), math.log2(abs(upper)), math.log2(abs(edge))
    return (at - low) / (high - low)


def _estimated(
    histogram: Histogram, shares: dict[tuple[bool, int], float], zero_share: float, edge: float, keep_lower: bool
) -> float:
    """The sum of what is kept, each part taken to be at the middle of its bucket."""
    total = 0.0
    for side, index, bucket in _sided(histogram):
        share = shares[side, index]
        if share and bucket.count:
            total += bucket.count * share * _middle(_cut(bucket, edge, keep_lower, share), histogram.is_custom)
    if zero_share and histogram.zero_count:
        zero = _zero_trimmed(
            Bucket(-histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count), histogram
        )
        total += histogram.zero_count * zero_share * _middle(_cut(zero, edge, keep_lower, zero_share), True)
    return total


def _cut(bucket: Bucket, edge: float, keep_lower: bool, share: float) -> Bucket:
    if share == 1.0:
        return bucket
    return replace(bucket, upper=edge) if keep_lower else replace(bucket, lower=edge)


def _middle(bucket: Bucket, linear: bool) -> float:
    lower, upper = bucket.lower, bucket.upper
    if lower == -math.inf:
        return upper if upper <= 0 else upper / 2
    if upper == math.inf:
        return lower
    if linear or lower <= 0 <= upper:
        return (lower + upper) / 2
    return math.copysign(math.sqrt(lower * upper), upper)
