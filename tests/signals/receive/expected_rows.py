"""What the tables must hold for a request, worked out from the official messages alone.

Normalisations that are documented: nested values are JSON with bytes as Base64 and non-finite doubles as text, metric
times are whole milliseconds, integers in samples are doubles.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

MILLISECOND = 1_000_000
STALE = 0x7FF0000000000002
_KINDS = {
    "string_value": "s", "int_value": "i", "double_value": "d", "bool_value": "b", "bytes_value": "x",
    "array_value": "j", "kvlist_value": "j", None: "n",
}  # fmt: skip


def plain(value: AnyValue) -> Any:
    """A value as JSON has it."""
    match value.WhichOneof("value"):
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "double_value" if value.double_value - value.double_value != 0:
            return str(value.double_value)
        case None:
            return None
        case member:
            return getattr(value, member)


def told(value: AnyValue) -> tuple[str, str]:
    """Kind and meaning of a value: equal exactly when nothing of it was lost."""
    kind = _KINDS[value.WhichOneof("value")]
    if kind == "d":
        return kind, repr(value.double_value)
    return kind, value.string_value if kind == "s" else "" if kind == "n" else json.dumps(plain(value))


def stored(kind: str, text: str) -> tuple[str, str]:
    """The same of a stored text and its kind."""
    match kind:
        case "d":
            return kind, repr(float(text))
        case "i":
            return kind, json.dumps(int(text))
        case "b":
            return kind, json.dumps({"true": True, "false": False}[text])
        case "x":
            return kind, json.dumps(text)
        case "j":
            return kind, json.dumps(json.loads(text))
        case _:
            return kind, text


def told_pairs(attributes: Iterable[KeyValue]) -> list[tuple[str, tuple[str, str]]]:
    """Attributes in their order, a key that comes twice too."""
    return [(pair.key, told(pair.value)) for pair in attributes]


def stored_pairs(pairs: Iterable[tuple[str, str]], kinds: str) -> list[tuple[str, tuple[str, str]]]:
    """The same of a stored map and its kinds."""
    return [(key, stored(kind, text)) for (key, text), kind in zip(pairs, kinds, strict=True)]


def double(value: float | None) -> str | None:
    """A double so that -0.0 and NaN can be compared."""
    return None if value is None else repr(float(value))


def identity(attributes: Iterable[KeyValue]) -> int:
    """The identity of resource attributes, by the rule of the architecture page."""
    digest = hashlib.md5(usedforsecurity=False)
    for key, text in sorted((pair.key.encode(), _text(pair.value).encode()) for pair in attributes):
        digest.update(key + b"\0" + text + b"\0")
    return int.from_bytes(digest.digest()[:8], "little")


def _text(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "array_value" | "kvlist_value":
            return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "int_value":
            return str(value.int_value)
        case _:
            return ""


def log_rows(request: Any) -> Iterator[dict[str, Any]]:
    """Rows of `logs`."""
    for by_resource in request.resource_logs:
        for by_scope in by_resource.scope_logs:
            for record in by_scope.log_records:
                yield {
                    "resource": told_pairs(by_resource.resource.attributes),
                    "time": record.time_unix_nano or record.observed_time_unix_nano,
                    "observed_time": record.observed_time_unix_nano,
                    "severity_number": record.severity_number,
                    "severity_text": record.severity_text,
                    "event_name": record.event_name,
                    "body": told(record.body),
                    "attributes": told_pairs(record.attributes),
                    "dropped_attributes_count": record.dropped_attributes_count,
                    **_scope(by_scope.scope),
                    "flags": record.flags,
                    "trace_id": record.trace_id or bytes(16),
                    "span_id": record.span_id or bytes(8),
                }


def span_rows(request: Any) -> Iterator[dict[str, Any]]:
    """Rows of `spans`."""
    for by_resource in request.resource_spans:
        for by_scope in by_resource.scope_spans:
            for span in by_scope.spans:
                same = ("trace_id", "span_id", "trace_state", "flags", "name", "kind", "dropped_attributes_count",
                        "dropped_events_count", "dropped_links_count")  # fmt: skip
                yield {name: getattr(span, name) for name in same} | {
                    "resource": told_pairs(by_resource.resource.attributes),
                    "parent_span_id": span.parent_span_id or bytes(8),
                    "time": span.start_time_unix_nano,
                    "duration": span.end_time_unix_nano - span.start_time_unix_nano,
                    "status_code": span.status.code,
                    "status_message": span.status.message,
                    "attributes": told_pairs(span.attributes),
                    **_scope(by_scope.scope),
                    "events": [
                        (event.time_unix_nano, event.name, told_pairs(event.attributes), event.dropped_attributes_count)
                        for event in span.events
                    ],
                    "links": [
                        (link.trace_id, link.span_id, link.trace_state, told_pairs(link.attributes),
                         link.dropped_attributes_count, link.flags)
                        for link in span.links
                    ],
                }  # fmt: skip


def _scope(scope: Any) -> dict[str, Any]:
    return {
        "scope_name": scope.name,
        "scope_version": scope.version,
        "scope_attributes": told_pairs(scope.attributes),
    }


def _points(request: Any) -> Iterator[tuple[dict[str, Any], Any, str]]:
    """Each point with what names its series, and the kind of its metric."""
    for by_resource in request.resource_metrics:
        for by_scope in by_resource.scope_metrics:
            for metric in by_scope.metrics:
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind)
                for point in data.data_points:
                    yield _series(by_resource.resource, by_scope.scope, metric, data, kind, point), point, kind


def _series(resource: Any, scope: Any, metric: Any, data: Any, kind: str, point: Any) -> dict[str, Any]:
    return {
        "resource": sorted(told_pairs(resource.attributes)),
        "scope_name": scope.name,
        "scope_version": scope.version,
        "name": metric.name,
        "unit": metric.unit,
        "type": kind,
        "temporality": getattr(data, "aggregation_temporality", 0),
        "is_monotonic": getattr(data, "is_monotonic", False),
        "labels": sorted(told_pairs(point.attributes)),
    }


def _times(point: Any) -> dict[str, int]:
    return {
        "time": point.time_unix_nano // MILLISECOND,
        "start_time": point.start_time_unix_nano // MILLISECOND,
    }


def sample_rows(request: Any) -> Iterator[dict[str, Any]]:
    """Rows of `samples` with their series; a point without a recorded value is Prometheus' stale marker."""
    for series, point, kind in _points(request):
        if kind in ("gauge", "sum"):
            value = "stale" if point.flags & 1 else double(_number(point))
            yield series | _times(point) | {"value": value}


def sample_value(bits: int) -> str | None:
    """A stored sample's value from its bits."""
    return "stale" if bits == STALE else double(struct.unpack("<d", struct.pack("<Q", bits))[0])


def _number(point: Any) -> float:
    return float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double


def distribution_rows(request: Any) -> Iterator[dict[str, Any]]:
    """Rows of `distributions` with their series."""
    for series, point, kind in _points(request):
        if kind not in ("gauge", "sum"):
            yield series | _times(point) | {"flags": point.flags, "count": point.count} | _shape(point, kind)


def _shape(point: Any, kind: str) -> dict[str, Any]:
    shape = {
        "sum": None, "min": None, "max": None, "bounds": [], "bucket_counts": [], "scale": 0, "zero_count": 0,
        "zero_threshold": double(0), "positive_offset": 0, "positive_counts": [], "negative_offset": 0,
        "negative_counts": [], "quantiles": [], "quantile_values": [],
    }  # fmt: skip
    if kind == "summary":
        return shape | {
            "sum": double(point.sum),
            "quantiles": [double(value.quantile) for value in point.quantile_values],
            "quantile_values": [double(value.value) for value in point.quantile_values],
        }
    shape |= {name: double(getattr(point, name)) for name in ("sum", "min", "max") if point.HasField(name)}
    if kind == "histogram":
        bounds = [double(bound) for bound in point.explicit_bounds]
        return shape | {"bounds": bounds, "bucket_counts": list(point.bucket_counts)}
    return shape | {
        "scale": point.scale,
        "zero_count": point.zero_count,
        "zero_threshold": double(point.zero_threshold),
        "positive_offset": point.positive.offset,
        "positive_counts": list(point.positive.bucket_counts),
        "negative_offset": point.negative.offset,
        "negative_counts": list(point.negative.bucket_counts),
    }


def exemplar_rows(request: Any) -> Iterator[dict[str, Any]]:
    """Rows of `exemplars` with their series; one without a time has its point's."""
    for series, point, kind in _points(request):
        for exemplar in point.exemplars if kind != "summary" else ():
            yield series | {
                "time": (exemplar.time_unix_nano or point.time_unix_nano) // MILLISECOND,
                "value": double(_number(exemplar)),
                "trace_id": exemplar.trace_id or bytes(16),
                "span_id": exemplar.span_id or bytes(8),
                "filtered": told_pairs(exemplar.filtered_attributes),
            }
