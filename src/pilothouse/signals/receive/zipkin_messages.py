"""Zipkin's protobuf messages (zipkin.proto3), as the dictionaries of its JSON."""

from __future__ import annotations

import ipaddress
from typing import Any

from pilothouse.signals.profiles.messages import message_classes

# On the wire a map is a repeated message of key and value.
_TEXT = """
message Endpoint { string service_name = 1; bytes ipv4 = 2; bytes ipv6 = 3; int32 port = 4; }
message Annotation { fixed64 timestamp = 1; string value = 2; }
message Tag { string key = 1; string value = 2; }
message Span { bytes trace_id = 1; bytes parent_id = 2; bytes id = 3; int32 kind = 4; string name = 5;
  fixed64 timestamp = 6; uint64 duration = 7; Endpoint local_endpoint = 8; Endpoint remote_endpoint = 9;
  repeated Annotation annotations = 10; repeated Tag tags = 11; bool debug = 12; bool shared = 13; }
message ListOfSpans { repeated Span spans = 1; }
"""
_ListOfSpans = message_classes("pilothouse.zipkin", _TEXT)["ListOfSpans"]
_KINDS = ("", "CLIENT", "SERVER", "PRODUCER", "CONSUMER")


def spans_of(body: bytes) -> list[dict[str, Any]]:
    """The spans of a ListOfSpans. Raises protobuf's `DecodeError`."""
    return [_span(span) for span in _ListOfSpans.FromString(body).spans]


def _span(span: Any) -> dict[str, Any]:
    return {
        "traceId": span.trace_id.hex(),
        "id": span.id.hex(),
        "parentId": span.parent_id.hex(),
        "kind": _KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else "",
        "name": span.name,
        "timestamp": span.timestamp,
        "duration": span.duration,
        "localEndpoint": _endpoint(span.local_endpoint),
        "remoteEndpoint": _endpoint(span.remote_endpoint),
        "annotations": [{"timestamp": note.timestamp, "value": note.value} for note in span.annotations],
        "tags": {tag.key: tag.value for tag in span.tags},
    }


def _endpoint(endpoint: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"serviceName": endpoint.service_name, "port": endpoint.port}
    if len(endpoint.ipv4) == 4:
        made["ipv4"] = str(ipaddress.IPv4Address(endpoint.ipv4))
    if len(endpoint.ipv6) == 16:
        made["ipv6"] = str(ipaddress.IPv6Address(endpoint.ipv6))
    return made
