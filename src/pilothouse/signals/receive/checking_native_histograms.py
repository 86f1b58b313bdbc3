"""What must hold of a native histogram in remote write, as Prometheus checks it before it stores one.

https://prometheus.io/docs/specs/native_histograms/
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import inf, isnan
from typing import Any

_CUSTOM = -53
_SCHEMAS = range(-4, 9)
_MOST_BUCKETS = 10_000
_FARTHEST, _MOST_REACH = 1_000_000, 100_000


def histogram_fault(histogram: Any) -> str:
    """What is wrong with it, in words; nothing when it can be kept."""
    custom = histogram.schema == _CUSTOM
    if not custom and histogram.schema not in _SCHEMAS:
        return f"histograms: schema {histogram.schema} is not known"
    if fault := _custom_fault(histogram) if custom else _exponential_fault(histogram):
        return fault
    total = 0.0
    for side in ("positive", "negative"):
        spans = getattr(histogram, f"{side}_spans")
        deltas, counts = getattr(histogram, f"{side}_deltas"), getattr(histogram, f"{side}_counts")
        if deltas and counts:
            return f"histograms: {side}_deltas and {side}_counts, of which there can be one"
        name = f"{side}_counts" if counts else f"{side}_deltas"
        if fault := _span_fault(side, spans, len(deltas) + len(counts), name):
            return fault
        found = list(counts) or list(accumulate(deltas))
        if any(count < 0 for count in found):
            return f"histograms: {name} make a negative count"
        total += sum(found)
    return _count_fault(histogram, total)


def _exponential_fault(histogram: Any) -> str:
    if histogram.custom_values:
        return f"histograms: custom_values with schema {histogram.schema}, which has its own bounds"
    return ""


def _custom_fault(histogram: Any) -> str:
    bounds = histogram.custom_values
    if len(bounds) > _MOST_BUCKETS:
        return f"histograms: more than {_MOST_BUCKETS} custom_values"
    # NaN is not below anything either.
    if not all(before < after for before, after in pairwise((-inf, *bounds, inf))):
        return "histograms: custom_values must rise, and be finite"
    if histogram.zero_count_int or histogram.zero_count_float or histogram.zero_threshold:
        return "histograms: a zero bucket beside custom_values"
    if histogram.negative_spans or histogram.negative_deltas or histogram.negative_counts:
        return "histograms: negative buckets beside custom_values"
    spans = histogram.positive_spans
    if spans and (spans[0].offset < 0 or sum(span.offset + span.length for span in spans) > len(bounds) + 1):
        return "histograms: positive_spans name buckets that custom_values have not"
    return ""


def _span_fault(side: str, spans: Any, counts: int, name: str) -> str:
    if sum(span.length for span in spans) != counts:
        return f"histograms: {side}_spans and {name} do not fit together"
    if counts > _MOST_BUCKETS or any(abs(span.offset) > _FARTHEST for span in spans):
        return f"histograms: {side}_spans reach too far"
    reach = sum(span.length + max(span.offset, 0) for span in spans[1:])
    if reach > _MOST_REACH or any(span.offset < 0 for span in spans[1:]):
        return f"histograms: {side}_spans reach too far"
    return ""


def _count_fault(histogram: Any, total: float) -> str:
    """`total` is what the buckets have in all, that of zero left out."""
    if histogram.count_float < 0 or histogram.zero_count_float < 0:
        return "histograms: a negative count"
    if histogram.count_float or histogram.zero_count_float or histogram.positive_counts or histogram.negative_counts:
        # Sums of fractions are not exact, so that they are not held against the count.
        if histogram.count_int or histogram.zero_count_int or histogram.positive_deltas or histogram.negative_deltas:
            return "histograms: counts as whole numbers and as floats at once"
        return ""
    total += histogram.zero_count_int
    # What was observed as NaN is in no bucket.
    fits = total <= histogram.count_int if isnan(histogram.sum) else total == histogram.count_int
    return "" if fits else f"histograms: the buckets hold {total:g} observations, the count is {histogram.count_int}"
