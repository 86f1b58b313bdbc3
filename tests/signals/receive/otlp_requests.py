"""Arbitrary OTLP requests, as the official messages: every kind of value, point and record that the protocol has."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

NOW = time.time_ns()
_DAY = 86_400_000_000_000
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
I32, I64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(NOW - 29 * _DAY, NOW + _DAY // 48)
# One NaN: JSON has no words for the others.
DOUBLES = st.floats(allow_nan=False) | st.just(math.nan) | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, 0.1])
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["a" * 127, "b" * 128, "ü" * 9000, "\0", "'\\\n\t"]
)
KEYS = st.sampled_from(["http.route", "user.id", "kind", ""]) | TEXT

LEAVES = st.one_of(
    st.just(AnyValue()),
    st.builds(AnyValue, string_value=TEXT),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=I64 | st.sampled_from([0, -1, 127, 128, 2**63 - 1, -(2**63)])),
    st.builds(AnyValue, double_value=DOUBLES),
    st.builds(AnyValue, bytes_value=st.binary(max_size=200)),
)


def _array(values: list[AnyValue]) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=values))


def _map(pairs: dict[str, AnyValue]) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=key, value=value) for key, value in pairs.items()]))


def _inside(value: AnyValue, layers: list[bool]) -> AnyValue:
    for is_map in layers:
        value = _map({"inner": value}) if is_map else _array([value])
    return value


NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(_array, st.lists(inner, max_size=3)) | st.builds(_map, st.dictionaries(KEYS, inner, max_size=3))
    ),
    max_leaves=6,
)
VALUES = LEAVES | NESTED | st.builds(_inside, LEAVES, st.lists(st.booleans(), min_size=4, max_size=6))


def attributes(most: int = 3, unique: bool = False) -> st.SearchStrategy[list[KeyValue]]:
    """Attributes, a key twice now and then."""
    pairs = st.builds(KeyValue, key=KEYS, value=VALUES)
    return st.lists(pairs, max_size=most, unique_by=(lambda pair: pair.key) if unique else None)


RESOURCES = st.builds(Resource, attributes=attributes(unique=True), dropped_attributes_count=U32)
SCOPES = st.builds(InstrumentationScope, name=TEXT, version=TEXT, attributes=attributes(2))


def _ids(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length).filter(any)


TRACE_IDS, SPAN_IDS = _ids(16), _ids(8)
_NONE = st.just(b"")


def _grouped(
    request: Any, resources: str, by_resource: Any, scopes: str, by_scope: Any, field: str, records: Any
) -> Any:
    """Requests with up to two resources of up to two scopes of up to three records."""
    scope = st.builds(
        lambda scope, found: by_scope(scope=scope, **{field: found}), SCOPES, st.lists(records, max_size=3)
    )
    resource = st.builds(
        lambda resource, found: by_resource(resource=resource, **{scopes: found}),
        RESOURCES,
        st.lists(scope, max_size=2),
    )
    return st.builds(lambda found: request(**{resources: found}), st.lists(resource, max_size=2))


LOG_RECORDS = st.builds(
    LogRecord,
    time_unix_nano=TIMES,
    observed_time_unix_nano=TIMES | st.just(0),
    severity_number=st.integers(0, 24),
    severity_text=TEXT,
    body=VALUES,
    attributes=attributes(),
    dropped_attributes_count=U32,
    flags=U32,
    trace_id=TRACE_IDS | _NONE,
    span_id=SPAN_IDS | _NONE,
    event_name=TEXT,
)
LOGS = _grouped(
    ExportLogsServiceRequest, "resource_logs", ResourceLogs, "scope_logs", ScopeLogs, "log_records", LOG_RECORDS
)  # fmt: skip

_EVENTS = st.builds(Span.Event, time_unix_nano=TIMES, name=TEXT, attributes=attributes(2), dropped_attributes_count=U32)
_LINKS = st.builds(
    Span.Link, trace_id=TRACE_IDS, span_id=SPAN_IDS, trace_state=TEXT, attributes=attributes(2),
    dropped_attributes_count=U32, flags=U32,
)  # fmt: skip
SPANS = st.builds(
    lambda duration, **fields: Span(end_time_unix_nano=fields["start_time_unix_nano"] + duration, **fields),
    st.integers(0, 10**12),
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS,
    trace_state=TEXT,
    parent_span_id=SPAN_IDS | _NONE,
    flags=U32,
    name=TEXT,
    kind=st.integers(0, 5),
    start_time_unix_nano=TIMES,
    attributes=attributes(),
    dropped_attributes_count=U32,
    events=st.lists(_EVENTS, max_size=2),
    dropped_events_count=U32,
    links=st.lists(_LINKS, max_size=2),
    dropped_links_count=U32,
    status=st.builds(Status, message=TEXT, code=st.integers(0, 2)),
)
TRACES = _grouped(ExportTraceServiceRequest, "resource_spans", ResourceSpans, "scope_spans", ScopeSpans, "spans", SPANS)

_NUMBER = st.fixed_dictionaries({"as_double": DOUBLES}) | st.fixed_dictionaries({"as_int": I64}) | st.just({})
_OPTIONAL = st.fixed_dictionaries({}, optional=dict.fromkeys(("sum", "min", "max"), DOUBLES))
_FLAGS = st.sampled_from([0, 0, 0, 1, 2, 3, 2**32 - 1])
_COUNTS = st.lists(st.integers(0, 2**40), min_size=1, max_size=5)


def _exemplar(number: dict[str, Any], **fields: Any) -> m.Exemplar:
    return m.Exemplar(**number, **fields)


_EXEMPLARS = st.lists(
    st.builds(
        _exemplar, _NUMBER, time_unix_nano=TIMES | st.just(0), filtered_attributes=attributes(2),
        trace_id=TRACE_IDS | _NONE, span_id=SPAN_IDS | _NONE,
    ),
    max_size=2,
)  # fmt: skip
_POINT = {
    "attributes": attributes(),
    "time_unix_nano": TIMES,
    "start_time_unix_nano": TIMES | st.just(0),
    "flags": _FLAGS,
}
_MEASURED = _POINT | {"exemplars": _EXEMPLARS}

NUMBERS = st.builds(lambda number, **fields: m.NumberDataPoint(**number, **fields), _NUMBER, **_MEASURED)


def _histogram(
    optional: dict[str, float], counts: list[int], bounds: list[float], **fields: Any
) -> m.HistogramDataPoint:
    counts = (counts * len(bounds))[: len(bounds) + 1] if bounds else counts[:1]
    return m.HistogramDataPoint(
        **optional, count=sum(counts), bucket_counts=counts, explicit_bounds=sorted(bounds), **fields
    )


def _exponential(
    optional: dict[str, float], positive: list[int], negative: list[int], zero: int, **fields: Any
) -> m.ExponentialHistogramDataPoint:
    offset, fields["zero_count"] = fields.pop("offset"), zero
    return m.ExponentialHistogramDataPoint(
        **optional,
        count=sum(positive) + sum(negative) + zero,
        positive={"offset": offset, "bucket_counts": positive},
        negative={"offset": -offset - 1, "bucket_counts": negative},
        **fields,
    )


HISTOGRAMS = st.builds(
    _histogram, _OPTIONAL, _COUNTS.filter(lambda counts: len(counts) > 1),
    st.lists(st.floats(allow_nan=False), max_size=4, unique=True), **_MEASURED,
)  # fmt: skip
EXPONENTIALS = st.builds(
    _exponential, _OPTIONAL, _COUNTS, _COUNTS, st.integers(0, 2**40), offset=I32,
    scale=st.integers(-10, 20), zero_threshold=DOUBLES, **_MEASURED,
)  # fmt: skip
_QUANTILES = st.builds(m.SummaryDataPoint.ValueAtQuantile, quantile=st.floats(0, 1), value=DOUBLES)
SUMMARIES = st.builds(
    m.SummaryDataPoint, count=U64, sum=DOUBLES, quantile_values=st.lists(_QUANTILES, max_size=3), **_POINT
)
_TEMPORALITY = st.integers(0, 2)


def _metric(
    name: str, make: Callable[..., Any], points: st.SearchStrategy[Any], **own: Any
) -> st.SearchStrategy[m.Metric]:
    data = st.builds(make, data_points=st.lists(points, max_size=3), **own)
    common = {"name": TEXT.filter(bool), "unit": TEXT, "description": TEXT}
    return st.builds(lambda data, **fields: m.Metric(**{name: data}, **fields), data, **common)


METRIC = st.one_of(
    _metric("gauge", m.Gauge, NUMBERS),
    _metric("sum", m.Sum, NUMBERS, aggregation_temporality=_TEMPORALITY, is_monotonic=st.booleans()),
    _metric("histogram", m.Histogram, HISTOGRAMS, aggregation_temporality=_TEMPORALITY),
    _metric("exponential_histogram", m.ExponentialHistogram, EXPONENTIALS, aggregation_temporality=_TEMPORALITY),
    _metric("summary", m.Summary, SUMMARIES),
)
METRICS = _grouped(
    ExportMetricsServiceRequest, "resource_metrics", m.ResourceMetrics, "scope_metrics", m.ScopeMetrics, "metrics",
    METRIC,
)  # fmt: skip
