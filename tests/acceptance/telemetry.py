"""What the acceptance tests send: small OTLP requests, each record with a name of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PROTOBUF = {"content-type": "application/x-protobuf"}
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def _resource(service: str) -> dict[str, list[KeyValue]]:
    return {"attributes": [KeyValue(key="service.name", value=AnyValue(string_value=service))]}


def logs(service: str, bodies: Iterable[str]) -> bytes:
    """A request with one record for each body."""
    records = [
        LogRecord(time_unix_nano=time.time_ns(), severity_number=9, body=AnyValue(string_value=body)) for body in bodies
    ]
    scope = [{"log_records": records}]
    return ExportLogsServiceRequest(
        resource_logs=[{"resource": _resource(service), "scope_logs": scope}]
    ).SerializeToString()


def spans(service: str, names: Iterable[str]) -> bytes:
    """A request with one span for each name."""
    now = time.time_ns()
    found = [
        Span(
            trace_id=os.urandom(16),
            span_id=os.urandom(8),
            name=name,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1,
        )
        for name in names
    ]
    scope = [{"spans": found}]
    return ExportTraceServiceRequest(
        resource_spans=[{"resource": _resource(service), "scope_spans": scope}]
    ).SerializeToString()
