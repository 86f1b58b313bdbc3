"""Stored spans as Jaeger's own messages (`jaeger.api_v2.Span`; jaegertracing/jaeger-idl, proto/api_v2/model.proto)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.receive.jaeger_grpc import MESSAGES
from pilothouse.signals.timerange import NANOSECONDS
from pilothouse.signals.traces.exporting import resources_of, spans_of
from pilothouse.signals.traces.jaeger import own_tags, process_of, tags_of

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# The questions stand beside the spans, which the door reads by the same text. On the wire a map is a repeated message
# of key and value; times and durations are alike.
QUESTIONS = message_classes(
    "jaeger.api_v2",
    MESSAGES
    + """
message GetTraceRequest { bytes trace_id = 1; Time start_time = 2; Time end_time = 3; bool raw_traces = 4; }
message SpansResponseChunk { repeated Span spans = 1; }
message Attribute { string key = 1; string value = 2; }
message TraceQueryParameters { string service_name = 1; string operation_name = 2; repeated Attribute tags = 3;
  Time start_time_min = 4; Time start_time_max = 5; Time duration_min = 6; Time duration_max = 7;
  int32 search_depth = 8; bool raw_traces = 9; }
message FindTracesRequest { TraceQueryParameters query = 1; }
message GetServicesRequest { }
message GetServicesResponse { repeated string services = 1; }
message GetOperationsRequest { string service = 1; string span_kind = 2; }
message Operation { string name = 1; string span_kind = 2; }
message GetOperationsResponse { repeated string operationNames = 1; repeated Operation operations = 2; }
message GetDependenciesRequest { Time start_time = 1; Time end_time = 2; }
message DependencyLink { string parent = 1; string child = 2; uint64 call_count = 3; string source = 4; }
message GetDependenciesResponse { repeated DependencyLink dependencies = 1; }
""",
)
_MEMBERS = {"string": (0, "v_str"), "bool": (1, "v_bool"), "int64": (2, "v_int64"), "float64": (3, "v_float64"),
            "binary": (4, "v_binary")}  # fmt: skip
# A client takes no message beyond 4 MB unless it is told to.
_CHUNK_BYTES = 1_000_000


def chunks(engine: Engine, traces: Sequence[str]) -> Iterator[Any]:
    """The spans of these traces (ids in hexadecimal), in messages that any client takes; none for what is not there."""
    rows = spans_of(engine, traces)
    known = resources_of(engine, {row["identity"] for row in rows})
    processes = {identity: _process(process_of(*told)) for identity, told in known.items()}
    chunk, size = QUESTIONS["SpansResponseChunk"](), 0
    for row in rows:
        span = _span(row, processes.get(row["identity"]))
        size += span.ByteSize()
        if chunk.spans and size > _CHUNK_BYTES:
            yield chunk
            chunk, size = QUESTIONS["SpansResponseChunk"](), span.ByteSize()
        chunk.spans.append(span)
    if chunk.spans:
        yield chunk


def _span(row: dict[str, Any], process: Any) -> Any:
    references = [
        {"trace_id": trace, "span_id": span, "ref_type": 1}
        for trace, span in zip(row["link_trace_ids"], row["link_span_ids"], strict=True)
    ]
    if any(row["parent_span_id"]):
        references.insert(0, {"trace_id": row["trace_id"], "span_id": row["parent_span_id"]})
    return QUESTIONS["Span"](
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        operation_name=row["name"],
        references=references,
        flags=row["flags"] & 1,
        start_time=_time(row["start"]),
        duration=_time(row["duration"]),
        tags=_key_values(tags_of(row["attributes"], row["kinds"]) + own_tags(row)),
        logs=[
            {"timestamp": _time(moment), "fields": _key_values([_event(name), *tags_of(pairs, kinds)])}
            for moment, name, pairs, kinds in zip(
                row["moments"], row["event_names"], row["event_attributes"], row["event_kinds"], strict=True
            )
        ],
        process=process,
    )


def _event(name: str) -> dict[str, Any]:
    return {"key": "event", "type": "string", "value": name}


def _process(told: dict[str, Any]) -> Any:
    return QUESTIONS["Process"](service_name=told["serviceName"], tags=_key_values(told["tags"]))


def _key_values(tags: Sequence[dict[str, Any]]) -> list[Any]:
    made = []
    for tag in tags:
        number, member = _MEMBERS[tag["type"]]
        value = base64.b64decode(tag["value"]) if member == "v_binary" else tag["value"]
        made.append(QUESTIONS["KeyValue"](key=tag["key"], v_type=number, **{member: value}))
    return made


def _time(nanoseconds: int) -> dict[str, int]:
    seconds, nanos = divmod(nanoseconds, NANOSECONDS)
    return {"seconds": seconds, "nanos": nanos}
