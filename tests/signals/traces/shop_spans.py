"""Two kinds of traces to ask about: orders that go from a gateway through a shop to a database, and jobs."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from pilothouse.signals.timerange import NANOSECONDS, TimeRange

BASE = (time.time_ns() // (3600 * NANOSECONDS) - 1) * 3600 * NANOSECONDS
ALL = TimeRange(BASE, BASE + 600 * NANOSECONDS)
MILLISECOND = 1_000_000
SERVER, CLIENT, INTERNAL, PRODUCER, CONSUMER = 2, 3, 1, 4, 5


def any_value(value: Any) -> AnyValue:
    """The AnyValue of a Python value."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    return AnyValue(string_value=value)


def pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    """Attributes as OTLP has them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    trace: int, number: int, parent: int, name: str, kind: int, begin: int, length: int, status: int = 0, **fields: Any
) -> Span:
    """A span whose times are in milliseconds from the trace's minute; ids are the numbers."""
    start = BASE + trace * 60 * NANOSECONDS + begin * MILLISECOND
    attributes = pairs(fields.pop("attributes", {}))
    return Span(
        trace_id=trace.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), name=name, kind=kind,  # type: ignore[arg-type]
        parent_span_id=parent.to_bytes(8, "big") if parent else b"", start_time_unix_nano=start,
        end_time_unix_nano=start + length * MILLISECOND, attributes=attributes,
        status={"code": status, "message": fields.pop("message", "")}, **fields,
    )  # fmt: skip


def of(service: str, spans: list[Span], **resource: Any) -> dict[str, Any]:
    """Spans with the service that sends them."""
    attributes = pairs({"service.name": service} | resource)
    scope = {"name": f"{service}-lib", "version": "1.2", "attributes": pairs({"pool": "blue"})}
    return {"resource": {"attributes": attributes}, "scope_spans": [{"scope": scope, "spans": spans}]}


def request() -> ExportTraceServiceRequest:
    """Traces 1 to 4 are orders (4 fails), 5 is a job without children."""
    gateway, shop, base, jobs = [], [], [], []
    for trace in range(1, 5):
        failed = trace == 4
        gateway.append(
            span(trace, 1, 0, "GET /order", SERVER, 0, 100 * trace, 2 if failed else 0,
                 attributes={"http.status_code": 500 if failed else 200, "cache": trace % 2 == 0, "share": trace / 2})
        )  # fmt: skip
        gateway.append(span(trace, 2, 1, "call shop", CLIENT, 5, 90 * trace, attributes={"tags": ["a", "b"]}))
        error = {"name": "exception", "time_unix_nano": BASE + trace * 60 * NANOSECONDS + 30 * MILLISECOND,
                 "attributes": pairs({"exception.type": "Deadlock"})}  # fmt: skip
        shop.append(
            span(trace, 3, 2, "order", SERVER, 10, 80 * trace, 2 if failed else 0, message="no stock" if failed else "",
                 attributes={"items": trace, "price": "7"}, events=[error] if failed else [])
        )  # fmt: skip
        base.append(span(trace, 4, 3, "SELECT stock", CLIENT, 15, 20 * trace, attributes={"db.system": "postgresql"}))
        base.append(span(trace, 5, 3, "UPDATE stock", CLIENT, 40, 30 * trace, attributes={"db.system": "postgresql"}))
    link = {
        "trace_id": (1).to_bytes(16, "big"),
        "span_id": (1).to_bytes(8, "big"),
        "attributes": pairs({"why": "late"}),
    }
    jobs.append(span(5, 9, 0, "nightly", INTERNAL, 0, 1000, 1, links=[link], attributes={"a b": "odd"}))
    resources = [
        of("gateway", gateway, env="prod"),
        of("shop", [*shop, *base], env="prod", zone=3),
        of("jobs", jobs, env="dev"),
    ]
    return ExportTraceServiceRequest(resource_spans=resources)
