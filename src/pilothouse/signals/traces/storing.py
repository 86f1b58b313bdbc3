"""From segments of OTLP trace requests to the `spans` table."""

from pilothouse.engine import SegmentStatement
from pilothouse.signals.announcing import announced_sql
from pilothouse.signals.anyvalue import ATTRIBUTES, IDENTITY, SCHEMA, SCOPE, kinds_sql, map_sql

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

_EVENT = f"Tuple(time_unix_nano UInt64, name String, attributes {ATTRIBUTES}, dropped_attributes_count UInt32)"
_LINK = (
    f"Tuple(trace_id String, span_id String, trace_state String, attributes {ATTRIBUTES}, "
    "dropped_attributes_count UInt32, flags UInt32)"
)
_SPAN = (
    "Tuple(trace_id String, span_id String, trace_state String, parent_span_id String, flags UInt32, name String, "
    f"kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {ATTRIBUTES}, "
    f"dropped_attributes_count UInt32, events Array({_EVENT}), dropped_events_count UInt32, links Array({_LINK}), "
    "dropped_links_count UInt32, status Tuple(message String, code Int32))"
)


def _structure(resource: str, span: str, scope: str = "") -> str:
    return f"resource_spans Array(Tuple(resource {resource}, scope_spans Array(Tuple({scope}spans Array({span})))))"


_EVENT_ROW = ", ".join(
    (
        "fromUnixTimestamp64Nano(toInt64(e.time_unix_nano), 'UTC')", "e.name", map_sql("e.attributes"),
        kinds_sql("e.attributes"), "e.dropped_attributes_count",
    )
)  # fmt: skip
_LINK_ROW = ", ".join(
    (
        "toFixedString(l.trace_id, 16)", "toFixedString(l.span_id, 8)", "l.trace_state", map_sql("l.attributes"),
        kinds_sql("l.attributes"), "l.dropped_attributes_count", "l.flags",
    )
)  # fmt: skip

# What tells a span from another: a call's two sides may share ids (Zipkin). Migration 22 notes it of each span stored.
_KIND = "least(greatest(s.kind, 0), 255)"
_SAME = f"cityHash64(toFixedString(s.trace_id, 16), toFixedString(s.span_id, 8), toUInt8({_KIND}), identity)"

# Each column with the expression that makes it. An end before the start is a duration of zero.
_COLUMNS = {
    "identity": "identity",
    "trace_id": "toFixedString(s.trace_id, 16)",
    "span_id": "toFixedString(s.span_id, 8)",
    "parent_span_id": "toFixedString(s.parent_span_id, 8)",
    "trace_state": "s.trace_state",
    "flags": "s.flags",
    "name": "s.name",
    "kind": _KIND,
    "time": "fromUnixTimestamp64Nano(toInt64(s.start_time_unix_nano), 'UTC')",
    "duration": "s.end_time_unix_nano - least(s.start_time_unix_nano, s.end_time_unix_nano)",
    "status_code": "least(greatest(s.status.code, 0), 255)",
    "status_message": "s.status.message",
    "attributes": map_sql("s.attributes"),
    "kinds": kinds_sql("s.attributes"),
    "dropped_attributes_count": "s.dropped_attributes_count",
    "dropped_events_count": "s.dropped_events_count",
    "dropped_links_count": "s.dropped_links_count",
    "scope_name": "scope_name",
    "scope_version": "scope_version",
    "scope_attributes": "scope_attributes",
    "scope_kinds": "scope_kinds",
    "events": f"arrayMap(e -> ({_EVENT_ROW}), s.events)",
    "links": f"arrayMap(l -> ({_LINK_ROW}), s.links)",
}

SPANS = SegmentStatement(
    table="spans",
    columns=tuple(_COLUMNS),
    select=f"""SELECT {", ".join(_COLUMNS.values())}
FROM (
    SELECT identity, ss.spans AS spans, ss.scope.name AS scope_name, ss.scope.version AS scope_version,
           {map_sql("ss.scope.attributes")} AS scope_attributes, {kinds_sql("ss.scope.attributes")} AS scope_kinds
    FROM (
        SELECT rs.resource.identity AS identity, rs.scope_spans AS scopes
        FROM {{segment}} ARRAY JOIN resource_spans AS rs
    ) ARRAY JOIN scopes AS ss
) ARRAY JOIN spans AS s
WHERE {_SAME} NOT IN (SELECT span FROM span_recent)
LIMIT 1 BY {_SAME}""",
    structure=_structure(IDENTITY, _SPAN, f"scope {SCOPE}, "),
    schema=_PROTO,
    message="Traces",
    forget="TRUNCATE TABLE span_recent",
)


RESOURCES = announced_sql("traces")
