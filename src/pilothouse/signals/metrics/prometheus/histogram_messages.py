"""Native histograms as remote write and remote read have them (`prometheus.Histogram` of types.proto)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from pilothouse.signals.metrics.promql.histogram import Buckets, Histogram
from pilothouse.signals.metrics.protobuf import message_classes
from pilothouse.signals.metrics.remote_writing import PROTO

_Message = message_classes("pilothouse.histogram_messages", PROTO)["Histogram"]
_GAUGE = 3
# What a difference of two counts has room for.
_MOST = 1 << 62


def encoded_histogram(histogram: Histogram, at: int) -> bytes:
    """The content of a Histogram at `at` milliseconds; its counts are floats where one is no whole number."""
    told = _Message(
        sum=histogram.sum,
        schema=histogram.schema,
        zero_threshold=histogram.zero_threshold,
        reset_hint=_GAUGE if histogram.hint == "gauge" else 0,
        timestamp=at,
        custom_values=histogram.custom,
    )
    numbers = (histogram.count, histogram.zero_count, *histogram.positive.values(), *histogram.negative.values())
    whole = all(0 <= number < _MOST and float(number).is_integer() for number in numbers)
    if whole:
        told.count_int, told.zero_count_int = round(histogram.count), round(histogram.zero_count)
    else:
        told.count_float, told.zero_count_float = histogram.count, histogram.zero_count
    for side, buckets in (("positive", histogram.positive), ("negative", histogram.negative)):
        indexes = sorted(buckets)
        _span(getattr(told, f"{side}_spans"), indexes)
        if whole:
            getattr(told, f"{side}_deltas").extend(_deltas(buckets, indexes))
        else:
            getattr(told, f"{side}_counts").extend(buckets[index] for index in indexes)
    return bytes(told.SerializeToString())


def _span(spans: Any, indexes: list[int]) -> None:
    """Runs of indexes beside each other."""
    end: int | None = None
    for index in indexes:
        if index != end:
            spans.add(offset=index - (end or 0), length=0)
        spans[-1].length += 1
        end = index + 1


def _deltas(buckets: Buckets, indexes: list[int]) -> list[int]:
    """Each count by what it differs from the one before."""
    return [after - before for before, after in pairwise([0, *(round(buckets[index]) for index in indexes)])]
