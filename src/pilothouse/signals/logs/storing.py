"""From segments of OTLP log requests to the `logs` table."""

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
message LogRecord {{
  fixed64 time_unix_nano = 1; fixed64 observed_time_unix_nano = 11; int32 severity_number = 2;
  string severity_text = 3; bytes body = 5; repeated KeyValue attributes = 6; uint32 dropped_attributes_count = 7;
  fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; string event_name = 12;
}}
message ScopeLogs {{ Scope scope = 1; repeated LogRecord log_records = 2; }}
message ResourceLogs {{ Resource resource = 1; repeated ScopeLogs scope_logs = 2; }}
message Logs {{ repeated ResourceLogs resource_logs = 1; }}
"""

_RECORD = (
    "Tuple(time_unix_nano UInt64, observed_time_unix_nano UInt64, severity_number Int32, "
    "severity_text LowCardinality(String), "
    f"body String, attributes {ATTRIBUTES}, dropped_attributes_count UInt32, flags UInt32, trace_id String, "
    "span_id String, event_name LowCardinality(String))"
)


def _structure(resource: str, record: str, scope: str = "") -> str:
    return (
        f"resource_logs Array(Tuple(resource {resource}, scope_logs Array(Tuple({scope}log_records Array({record})))))"
    )


# The time of a record is when it was observed where the source gave none (OTLP logs data model, Timestamp).
_TIME = "if(r.time_unix_nano = 0, r.observed_time_unix_nano, r.time_unix_nano)"

# The body's value stands ahead of the scope's attributes, so that the engine analyses one expression for both.
_RECORDS = f"""SELECT
    identity, fromUnixTimestamp64Nano(toInt64({_TIME}), 'UTC'),
    fromUnixTimestamp64Nano(toInt64(r.observed_time_unix_nano), 'UTC'),
    least(greatest(r.severity_number, 0), 255), r.severity_text, r.event_name,
    others[1], substring(letters, 1, 1), {map_sql("r.attributes")}, {kinds_sql("r.attributes")},
    r.dropped_attributes_count, scope.name, scope.version, mapFromArrays(scope.attributes.key, arrayPopFront(others)),
    substring(letters, 2), r.flags,
    toFixedString(if(length(r.trace_id) = 16, r.trace_id, ''), 16),
    toFixedString(if(length(r.span_id) = 8, r.span_id, ''), 8)
FROM (
    SELECT identity, scope, r, arrayPushFront(scope.attributes.value, r.body) AS values,
           {texts_sql("values")} AS others, {letters_sql("values")} AS letters
    FROM {records_sql("logs", "log_records", "r")}
)"""


RECORDS = SegmentStatement(
    table="logs",
    columns=(
        "identity", "time", "observed_time", "severity_number", "severity_text", "event_name", "body", "body_kind",
        "attributes", "kinds", "dropped_attributes_count", "scope_name", "scope_version", "scope_attributes",
        "scope_kinds", "flags", "trace_id", "span_id",
    ),
    select=_RECORDS,
    structure=_structure(IDENTITY, _RECORD, f"scope {SCOPE}, "),
    schema=_PROTO,
    message="Logs",
    block=rows_of("logs"),
)  # fmt: skip

RESOURCES = announced_sql("logs")
