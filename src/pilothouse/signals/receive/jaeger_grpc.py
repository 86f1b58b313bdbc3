"""Jaeger's collector over gRPC: `jaeger.api_v2.CollectorService/PostSpans` (jaeger-idl, api_v2/collector.proto)."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.receive.jaeger_spans import JaegerSpan, Reference, Tags, add_span, resource_of
from pilothouse.signals.receive.span_request import Plain, SpanRequest

METHOD = "/jaeger.api_v2.CollectorService/PostSpans"
MESSAGES = """
message Time { int64 seconds = 1; int32 nanos = 2; }
message KeyValue { string key = 1; int32 v_type = 2; string v_str = 3; bool v_bool = 4; int64 v_int64 = 5;
  double v_float64 = 6; bytes v_binary = 7; }
message Log { Time timestamp = 1; repeated KeyValue fields = 2; }
message SpanRef { bytes trace_id = 1; bytes span_id = 2; int32 ref_type = 3; }
message Process { string service_name = 1; repeated KeyValue tags = 2; }
message Span { bytes trace_id = 1; bytes span_id = 2; string operation_name = 3; repeated SpanRef references = 4;
  uint32 flags = 5; Time start_time = 6; Time duration = 7; repeated KeyValue tags = 8; repeated Log logs = 9;
  Process process = 10; }
message Batch { repeated Span spans = 1; Process process = 2; }
message PostSpansRequest { Batch batch = 1; }
"""
_Request = message_classes("pilothouse.jaeger", MESSAGES)["PostSpansRequest"]
_MEMBERS = ("v_str", "v_bool", "v_int64", "v_float64", "v_binary")


def read(body: bytes) -> SpanRequest:
    """The spans of a PostSpansRequest. Raises `BadRequestError`."""
    try:
        batch = _Request.FromString(body).batch
    except DecodeError:
        raise BadRequestError("PostSpansRequest does not parse") from None
    made, shared = SpanRequest(), _resource(batch.process)
    for span in batch.spans:
        add_span(made, _resource(span.process) if span.HasField("process") else shared, _span(span))
    return made


def _span(span: Any) -> JaegerSpan:
    return JaegerSpan(
        trace_id=_trace_id(span),
        span_id=span.span_id,
        parent_span_id=b"",
        name=span.operation_name,
        start=_nanoseconds(span.start_time),
        duration=_nanoseconds(span.duration),
        flags=span.flags,
        references=[
            Reference(one.trace_id.rjust(16, b"\0"), one.span_id, one.ref_type == 0) for one in span.references
        ],
        tags=_tags(span.tags),
        logs=[(_nanoseconds(log.timestamp), _tags(log.fields)) for log in span.logs],
    )


def _reference(one: Any) -> Reference:
    return Reference(_trace_id(one), one.span_id, child=one.ref_type == 0)


def _trace_id(of: Any) -> bytes:
    return bytes(of.trace_id.rjust(16, b"\0"))


def _resource(process: Any) -> dict[str, Plain]:
    return resource_of(process.service_name, _tags(process.tags))


def _tags(found: Any) -> Tags:
    return [(tag.key, getattr(tag, _MEMBERS[tag.v_type if 0 <= tag.v_type < 5 else 0])) for tag in found]


def _nanoseconds(time: Any) -> int:
    return int(time.seconds) * 1_000_000_000 + int(time.nanos)
