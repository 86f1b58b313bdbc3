"""From segments of Loki pushes to the `logs` table.

A push is journaled as it came, but for what the door adds: whose lines a stream's are, and the severity that its labels
name. Lines and structured metadata are read by the engine; no line is touched in Python.
"""

from __future__ import annotations

from pilothouse.engine import SegmentStatement
from pilothouse.signals.logs.levels import LEVELS, NUMBERS

PROTO = """syntax = "proto3";
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Pair { bytes name = 1; bytes value = 2; }
message Entry { Timestamp timestamp = 1; bytes line = 2; repeated Pair metadata = 3; }
message Stream { string labels = 1; repeated Entry entries = 2; fixed64 identity = 2000; uint32 severity = 2001; }
message Push { repeated Stream streams = 1; repeated bytes announcements = 2001; }
"""
"""Loki's logproto.proto as far as it is kept, and three fields of the door's own (numbers from 2000 on).

Texts are bytes: a line that is not UTF-8 must not refuse all others.
"""

_STRUCTURE = (
    "streams Array(Tuple(identity UInt64, severity UInt32, entries Array(Tuple("
    "timestamp Tuple(seconds Int64, nanos Int32), line String, metadata Array(Tuple(name String, value String))))))"
)
_NAMES = ", ".join(f"'{name}'" for name in LEVELS)
_KNOWN = ", ".join(f"'{name}'" for name in NUMBERS)
_VALUES = ", ".join(map(str, NUMBERS.values()))
_LEVEL = f"""if(severity > 0, severity, arrayFirst(found -> found > 0, arrayMap(pair -> if(pair.name IN ({_NAMES}),
    transform(lower(trimBoth(pair.value)), [{_KNOWN}], [{_VALUES}], 0), 0), e.metadata)))"""


def _is_id(name: str, length: int) -> str:
    digits, zeros = f"[0-9a-f]{{{length}}}", "0" * length
    return f"pair.name = '{name}' AND match(pair.value, '^{digits}$') AND pair.value != '{zeros}'"


def _id(name: str, length: int) -> str:
    return f"toFixedString(unhex(arrayFirst(pair -> {_is_id(name, length)}, e.metadata).value), {length // 2})"


_KEPT = f"arrayFilter(pair -> NOT ({_is_id('trace_id', 32)} OR {_is_id('span_id', 16)}), e.metadata)"
_NANOSECONDS = "e.timestamp.seconds * 1000000000 + least(greatest(e.timestamp.nanos, 0), 999999999)"

RECORDS = SegmentStatement(
    table="logs",
    columns=(
        "identity", "time", "severity_number", "body", "body_kind", "attributes", "kinds", "trace_id", "span_id",
    ),
    select=f"""SELECT identity, fromUnixTimestamp64Nano({_NANOSECONDS}, 'UTC'), {_LEVEL}, toValidUTF8(e.line), 's',
    mapFromArrays(
        CAST(arrayMap(pair -> toValidUTF8(pair.name), {_KEPT} AS kept), 'Array(LowCardinality(String))'),
        arrayMap(pair -> toValidUTF8(pair.value), kept)),
    repeat('s', length(kept)), {_id("trace_id", 32)}, {_id("span_id", 16)}
FROM (
    SELECT s.identity AS identity, s.severity AS severity, s.entries AS entries
    FROM {{segment}} ARRAY JOIN streams AS s
) ARRAY JOIN entries AS e""",
    structure=_STRUCTURE,
    schema=PROTO,
    message="Push",
)  # fmt: skip
