"""Prometheus' protobuf exposition: delimited `io.prometheus.client.MetricFamily`, the only one with native histograms.

https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.numbers import format_open_metrics
from pilothouse.signals.metrics.protobuf import message_classes
from pilothouse.signals.metrics.scraping.exposition import Described, Exemplar, ExpositionError

_SCHEMA = """
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message LabelPair { string name = 1; string value = 2; }
message Exemplar { repeated LabelPair label = 1; double value = 2; Timestamp timestamp = 3; }
message Gauge { double value = 1; }
message Counter { double value = 1; Exemplar exemplar = 2; Timestamp created_timestamp = 3; }
message Quantile { double quantile = 1; double value = 2; }
message Summary { uint64 sample_count = 1; double sample_sum = 2; repeated Quantile quantile = 3;
  Timestamp created_timestamp = 4; }
message Untyped { double value = 1; }
message Bucket { uint64 cumulative_count = 1; double upper_bound = 2; Exemplar exemplar = 3;
  double cumulative_count_float = 4; }
message BucketSpan { sint32 offset = 1; uint32 length = 2; }
message Histogram { uint64 sample_count = 1; double sample_sum = 2; repeated Bucket bucket = 3;
  double sample_count_float = 4; sint32 schema = 5; double zero_threshold = 6; uint64 zero_count = 7;
  double zero_count_float = 8; repeated BucketSpan negative_span = 9; repeated sint64 negative_delta = 10;
  repeated double negative_count = 11; repeated BucketSpan positive_span = 12; repeated sint64 positive_delta = 13;
  repeated double positive_count = 14; Timestamp created_timestamp = 15; repeated Exemplar exemplars = 16; }
message Metric { repeated LabelPair label = 1; Gauge gauge = 2; Counter counter = 3; Summary summary = 4;
  Untyped untyped = 5; int64 timestamp_ms = 6; Histogram histogram = 7; }
message MetricFamily { string name = 1; string help = 2; int32 type = 3; repeated Metric metric = 4; string unit = 5; }
"""
_Family = message_classes("io.prometheus.client", _SCHEMA, "proto2")["MetricFamily"]
_TYPES = ("counter", "gauge", "summary", "unknown", "histogram", "gaugehistogram")
_GAUGE_HINT = 3


@dataclass(slots=True)
class Point:
    """One sample: labels, and a value or a native histogram (a remote write `Histogram` without its time)."""

    labels: dict[str, str]
    value: float
    time: int | None = None
    exemplar: Exemplar | None = None
    histogram: Any = None
    exemplars: tuple[Exemplar, ...] = ()


def points(body: bytes, described: dict[str, Described], histogram: type[Any], classic: bool) -> Iterator[Point]:
    """The samples of a body; `histogram` is the class of native ones. `classic` wants buckets even beside those.

    Raises `ExpositionError`.
    """
    place = 0
    while place < len(body):
        size, place = _size(body, place)
        try:
            family = _Family.FromString(body[place : place + size])
        except DecodeError:
            raise ExpositionError("not a MetricFamily") from None
        place += size
        kind = _TYPES[family.type] if 0 <= family.type < len(_TYPES) else "unknown"
        described[family.name] = Described(kind, family.unit, family.help)
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}
            time = metric.timestamp_ms if metric.HasField("timestamp_ms") else None
            for point in _of_metric(family.name, metric, labels, kind, histogram, classic):
                point.time = time
                yield point


def _size(body: bytes, place: int) -> tuple[int, int]:
    size = shift = 0
    while place < len(body):
        byte = body[place]
        place += 1
        size |= (byte & 127) << shift
        if byte < 128:
            if place + size > len(body):
                break
            return size, place
        shift += 7
    raise ExpositionError("the body ends within a message")


def _of_metric(
    name: str, metric: Any, labels: dict[str, str], kind: str, histogram: type[Any], classic: bool
) -> Iterator[Point]:
    for simple in ("counter", "gauge", "untyped"):
        if metric.HasField(simple):
            one = getattr(metric, simple)
            exemplar = _exemplar(one.exemplar) if simple == "counter" and one.HasField("exemplar") else None
            yield Point({NAME: name, **labels}, one.value, exemplar=exemplar)
    if metric.HasField("summary"):
        summary = metric.summary
        yield Point({NAME: f"{name}_count", **labels}, float(summary.sample_count))
        yield Point({NAME: f"{name}_sum", **labels}, summary.sample_sum)
        for one in summary.quantile:
            yield Point({NAME: name, **labels, "quantile": format_open_metrics(one.quantile)}, one.value)
    if metric.HasField("histogram"):
        native = _native(metric.histogram, histogram, kind)
        if native is not None:
            told = tuple(map(_exemplar, metric.histogram.exemplars))
            yield Point({NAME: name, **labels}, 0.0, histogram=native, exemplars=told)
        if native is None or classic:
            yield from _classic(name, metric.histogram, labels)


def _classic(name: str, told: Any, labels: dict[str, str]) -> Iterator[Point]:
    count = told.sample_count_float or float(told.sample_count)
    yield Point({NAME: f"{name}_count", **labels}, count)
    yield Point({NAME: f"{name}_sum", **labels}, told.sample_sum)
    last = 0.0
    for bucket in told.bucket:
        last = bucket.upper_bound
        edge = "+Inf" if last == float("inf") else format_open_metrics(last)
        exemplar = _exemplar(bucket.exemplar) if bucket.HasField("exemplar") else None
        total = bucket.cumulative_count_float or float(bucket.cumulative_count)
        yield Point({NAME: f"{name}_bucket", **labels, "le": edge}, total, exemplar=exemplar)
    if last != float("inf"):
        yield Point({NAME: f"{name}_bucket", **labels, "le": "+Inf"}, count)


def _native(told: Any, histogram: type[Any], kind: str) -> Any:
    """The native histogram; None when it has none."""
    spans = len(told.positive_span) + len(told.negative_span)
    is_native = spans or told.zero_count or told.zero_count_float or told.zero_threshold
    if not is_native:
        return None
    made = histogram(
        sum=told.sample_sum, schema=told.schema, zero_threshold=told.zero_threshold,
        reset_hint=_GAUGE_HINT if kind == "gaugehistogram" else 0,
    )  # fmt: skip
    if told.sample_count_float or told.zero_count_float:
        made.count_float, made.zero_count_float = told.sample_count_float, told.zero_count_float
        made.positive_counts.extend(told.positive_count)
        made.negative_counts.extend(told.negative_count)
    else:
        made.count_int, made.zero_count_int = told.sample_count, told.zero_count
        made.positive_deltas.extend(told.positive_delta)
        made.negative_deltas.extend(told.negative_delta)
    for side in ("positive", "negative"):
        for span in getattr(told, f"{side}_span"):
            if span.length:
                getattr(made, f"{side}_spans").add(offset=span.offset, length=span.length)
    return made


def _exemplar(told: Any) -> Exemplar:
    time = None
    if told.HasField("timestamp"):
        time = told.timestamp.seconds * 1000 + told.timestamp.nanos // 1_000_000
    return Exemplar({pair.name: pair.value for pair in told.label}, told.value, time)
