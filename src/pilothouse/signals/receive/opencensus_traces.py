"""From OpenCensus spans to OTLP (OpenTelemetry specification, "OpenCensus Compatibility")."""

from __future__ import annotations

from typing import Any

from pilothouse.signals.receive.log_requests import valid_text
from pilothouse.signals.receive.opencensus_messages import TRACES
from pilothouse.signals.receive.opencensus_resource import Speaker
from pilothouse.signals.receive.span_request import Plain, SpanRequest, add_all

_Value = TRACES["AttributeValue"]
# The first byte of an attribute's value: the tag of the member that is set.
_MEMBERS = {0x0A: "string_value", 0x10: "int_value", 0x18: "bool_value", 0x21: "double_value"}
_KINDS = (1, 2, 3)
_MESSAGES = ("", "SENT", "RECEIVED")
_RELATIONS = ("", "child", "parent")


def read(speaker: Speaker, request: Any) -> SpanRequest:
    """The spans of an ExportTraceServiceRequest."""
    speaker.hear(request)
    made = SpanRequest()
    for span in request.spans:
        _add(made, speaker, span)
    return made


def nanoseconds(time: Any) -> int:
    """A timestamp; 0 when it is not set or before 1970."""
    return max(0, int(time.seconds) * 1_000_000_000 + int(time.nanos))


def _add(request: SpanRequest, speaker: Speaker, span: Any) -> None:
    made = request.span(speaker.attributes(span))
    made.trace_id, made.span_id, made.parent_span_id = span.trace_id, span.span_id, span.parent_span_id
    made.name = valid_text(span.name.value)
    made.kind = _KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else 1
    made.trace_state = valid_text(",".join(f"{entry.key}={entry.value}" for entry in span.tracestate.entries))
    made.start_time_unix_nano = nanoseconds(span.start_time)
    made.end_time_unix_nano = max(nanoseconds(span.end_time), made.start_time_unix_nano)
    add_all(made.attributes, _pairs(span.attributes))
    made.dropped_attributes_count = max(0, span.attributes.dropped_attributes_count)
    # A gRPC status: all but OK is an error.
    made.status.code, made.status.message = (2 if span.status.code else 0), valid_text(span.status.message)
    for one in span.time_events.time_event:
        _add_event(made.events.add(), one)
    events = span.time_events
    made.dropped_events_count = max(0, events.dropped_annotations_count + events.dropped_message_events_count)
    for one in span.links.link:
        link = made.links.add()
        link.trace_id, link.span_id = one.trace_id, one.span_id
        add_all(link.attributes, _pairs(one.attributes))
        if 0 < one.type < len(_RELATIONS):
            add_all(link.attributes, [("opencensus.link.type", _RELATIONS[one.type])])
    made.dropped_links_count = max(0, span.links.dropped_links_count)


def _add_event(event: Any, one: Any) -> None:
    event.time_unix_nano = nanoseconds(one.time)
    if one.HasField("message_event"):
        message = one.message_event
        event.name = "message"
        kind = _MESSAGES[message.type] if 0 <= message.type < len(_MESSAGES) else ""
        pairs: list[tuple[str, Plain]] = [
            ("message.type", kind), ("message.id", message.id),
            ("message.uncompressed_size", message.uncompressed_size),
            ("message.compressed_size", message.compressed_size),
        ]  # fmt: skip
        add_all(event.attributes, [(key, value) for key, value in pairs if value != ""])
        return
    event.name = valid_text(one.annotation.description.value)
    add_all(event.attributes, _pairs(one.annotation.attributes))


def _pairs(attributes: Any) -> list[tuple[str, Plain]]:
    return [(one.key, _value(one.value)) for one in attributes.attribute_map]


def _value(raw: bytes) -> Plain:
    member = _MEMBERS.get(raw[0] if raw else 0, "string_value")
    value = getattr(_Value.FromString(raw), member)
    return value.value if member == "string_value" else value  # type: ignore[no-any-return]
