"""From OpenCensus metrics to OTLP (OpenTelemetry specification, "OpenCensus Compatibility")."""

from __future__ import annotations

from typing import Any

from pilothouse.signals.receive.log_requests import valid_text
from pilothouse.signals.receive.messages import request_class
from pilothouse.signals.receive.opencensus_resource import Speaker
from pilothouse.signals.receive.opencensus_traces import nanoseconds
from pilothouse.signals.receive.span_request import add, add_all

_GAUGES, _SUMS, _DISTRIBUTIONS, _SUMMARY = (1, 2), (4, 5), (3, 6), 7
_CUMULATIVE = 2


def read(speaker: Speaker, request: Any) -> Any:
    """The OTLP request of an ExportMetricsServiceRequest. A metric without a type is left out."""
    speaker.hear(request)
    made = request_class("metrics")()
    places: dict[Any, Any] = {}
    for metric in request.metrics:
        attributes = speaker.attributes(metric)
        key = tuple(attributes.items())
        if key not in places:
            resource = made.resource_metrics.add()
            add_all(resource.resource.attributes, attributes.items())
            places[key] = resource.scope_metrics.add()
        _add(places[key], metric)
    return made


def _add(scope: Any, metric: Any) -> None:
    described = metric.metric_descriptor
    data = _data(described.type)
    if not data:
        return
    made = scope.metrics.add()
    made.name, made.unit = valid_text(described.name), valid_text(described.unit)
    made.description = valid_text(described.description)
    points = getattr(made, data)
    if data in ("sum", "histogram"):
        points.aggregation_temporality = _CUMULATIVE
    if data == "sum":
        points.is_monotonic = True
    keys = [key.key for key in described.label_keys]
    for series in metric.timeseries:
        labels = [(key, label.value) for key, label in zip(keys, series.label_values, strict=False) if label.has_value]
        for point in series.points:
            added = points.data_points.add()
            added.time_unix_nano = nanoseconds(point.timestamp)
            added.start_time_unix_nano = nanoseconds(series.start_timestamp)
            add_all(added.attributes, labels)
            _fill(added, data, described.type, point)


def _data(kind: int) -> str:
    if kind in _GAUGES:
        return "gauge"
    if kind in _SUMS:
        return "sum"
    return "histogram" if kind in _DISTRIBUTIONS else "summary" if kind == _SUMMARY else ""


def _fill(added: Any, data: str, kind: int, point: Any) -> None:
    match data:
        case "histogram":
            _distribution(added, point.distribution_value)
        case "summary":
            _summary(added, point.summary_value)
        case _ if kind in (1, 4):
            added.as_int = point.int64_value
        case _:
            added.as_double = point.double_value


def _distribution(added: Any, value: Any) -> None:
    added.count, added.sum = max(0, value.count), value.sum
    added.explicit_bounds.extend(value.bucket_options.explicit.bounds)
    added.bucket_counts.extend(max(0, bucket.count) for bucket in value.buckets)
    for bucket in value.buckets:
        if bucket.HasField("exemplar"):
            _exemplar(added.exemplars.add(), bucket.exemplar)


def _exemplar(made: Any, exemplar: Any) -> None:
    made.as_double, made.time_unix_nano = exemplar.value, nanoseconds(exemplar.timestamp)
    for attachment in exemplar.attachments:
        identifier = _identifier(attachment.value)
        if attachment.key == "trace_id" and len(identifier) == 16:
            made.trace_id = identifier
        elif attachment.key == "span_id" and len(identifier) == 8:
            made.span_id = identifier
        else:
            add(made.filtered_attributes, attachment.key, attachment.value)


def _identifier(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _summary(added: Any, value: Any) -> None:
    added.count, added.sum = max(0, value.count.value), value.sum.value
    for one in value.snapshot.percentile_values:
        made = added.quantile_values.add()
        made.quantile, made.value = one.percentile / 100, one.value
