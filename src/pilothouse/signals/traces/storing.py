"""From segments of OTLP trace requests to the `spans` table."""

from pilothouse.engine import SegmentStatement
from pilothouse.signals.announcing import announced_sql
from pilothouse.signals.anyvalue import (
    ATTRIBUTES,
    IDENTITY,
    SCHEMA,
    SCOPE,
    kinds_sql,
    letters_sql,
    map_sql,
    records_sql,
    texts_sql,
)
from pilothouse.signals.segment_rows import rows_of

_PROTO = f"""syntax = "proto3";
{SCHEMA}
message Event {{
  fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4;
}}
message Link {{
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4;
  uint32 dropped_attributes_count = 5; fixed32 flags = 6;
}}
message Status {{ string message = 2; int32 code = 3; }}
message Span {{
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; fixed32 flags = 16;
  string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10; repeated Event events = 11;
  uint32 dropped_events_count = 12; repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15;
}}
message ScopeSpans {{ Scope scope = 1; repeated Span spans = 2; }}
message ResourceSpans {{ Resource resource = 1; repeated ScopeSpans scope_spans = 2; }}
message Traces {{ repeated ResourceSpans resource_spans = 1; }}
"""

_EVENT = (
    f"Tuple(time_unix_nano UInt64, name LowCardinality(String), attributes {ATTRIBUTES}, "
    "dropped_attributes_count UInt32)"
)
_LINK = (
    f"Tuple(trace_id String, span_id String, trace_state String, attributes {ATTRIBUTES}, "
    "dropped_attributes_count UInt32, flags UInt32)"
)
_SPAN = (
    "Tuple(trace_id String, span_id String, trace_state String, parent_span_id String, flags UInt32, "
    "name LowCardinality(String), "
    f"kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {ATTRIBUTES}, "
    f"dropped_attributes_count UInt32, events Array({_EVENT}), dropped_events_count UInt32, links Array({_LINK}), "
    "dropped_links_count UInt32, status Tuple(message String, code Int32))"
)


def _structure(resource: str, span: str, scope: str = "") -> str:
    return f"resource_spans Array(Tuple(resource {resource}, scope_spans Array(Tuple({scope}spans Array({span})))))"


# The values of the scope, of events and of links stand in one array of arrays, so that the engine analyses one
# expression for all of them. The first is the scope's, then come those of each event, then of each link.
_OTHERS = "arrayConcat([scope.attributes.value], s.events.attributes.value, s.links.attributes.value)"
_EVENT_ROW = (
    "fromUnixTimestamp64Nano(toInt64(e.time_unix_nano), 'UTC'), e.name, mapFromArrays(e.attributes.key, t), k, "
    "e.dropped_attributes_count"
)
_LINK_ROW = (
    "toFixedString(l.trace_id, 16), toFixedString(l.span_id, 8), l.trace_state, mapFromArrays(l.attributes.key, t), k, "
    "l.dropped_attributes_count, l.flags"
)


def _of(array: str, first: str) -> str:
    """Texts and letters of the elements of an array, which begin at the place `first` among the others."""
    return f"{array}, arraySlice(texts, {first}, length({array})), arraySlice(letters, {first}, length({array}))"


# What tells a span from another: a call's two sides may share ids (Zipkin). Migration 22 notes it of each span stored.
_KIND = "least(greatest(s.kind, 0), 255)"


def _once(trace: str, span: str, kind: str) -> str:
    """Clauses that leave each span once, and none that was stored just before."""
    same = f"cityHash64({trace}, {span}, {kind}, identity)"
    return f"WHERE {same} NOT IN (SELECT span FROM span_recent)\nLIMIT 1 BY {same}"


# Each column with the expression that makes it. An end before the start is a duration of zero.
_COLUMNS = {
    "identity": "identity",
    "trace_id": "trace",
    "span_id": "span",
    "parent_span_id": "toFixedString(s.parent_span_id, 8)",
    "trace_state": "s.trace_state",
    "flags": "s.flags",
    "name": "s.name",
    "kind": "span_kind",
    "time": "fromUnixTimestamp64Nano(toInt64(s.start_time_unix_nano), 'UTC')",
    "duration": "s.end_time_unix_nano - least(s.start_time_unix_nano, s.end_time_unix_nano)",
    "status_code": "least(greatest(s.status.code, 0), 255)",
    "status_message": "s.status.message",
    "attributes": map_sql("s.attributes"),
    "kinds": kinds_sql("s.attributes"),
    "dropped_attributes_count": "s.dropped_attributes_count",
    "dropped_events_count": "s.dropped_events_count",
    "dropped_links_count": "s.dropped_links_count",
    "scope_name": "scope.name",
    "scope_version": "scope.version",
    "scope_attributes": "mapFromArrays(scope.attributes.key, texts[1])",
    "scope_kinds": "letters[1]",
    "events": f"arrayMap((e, t, k) -> ({_EVENT_ROW}), {_of('s.events', '2')})",
    "links": f"arrayMap((l, t, k) -> ({_LINK_ROW}), {_of('s.links', '2 + length(s.events)')})",
}

SPANS = SegmentStatement(
    table="spans",
    columns=tuple(_COLUMNS),
    select=f"""SELECT {", ".join(_COLUMNS.values())}
FROM (
    SELECT identity, scope, s, toFixedString(s.trace_id, 16) AS trace, toFixedString(s.span_id, 8) AS span,
           toUInt8({_KIND}) AS span_kind, {_OTHERS} AS others,
           arrayMap(values -> {texts_sql("values")}, others) AS texts,
           arrayMap(values -> {letters_sql("values")}, others) AS letters
    FROM {records_sql("spans", "spans", "s")}
)
{_once("trace", "span", "span_kind")}""",
    structure=_structure(IDENTITY, _SPAN, f"scope {SCOPE}, "),
    schema=_PROTO,
    message="Traces",
    forget="TRUNCATE TABLE span_recent",
    block=rows_of("traces", _once("trace_id", "span_id", "kind")),
)


RESOURCES = announced_sql("traces")
