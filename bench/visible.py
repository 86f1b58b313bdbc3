"""How soon after its 200 a record can be queried, on a server that has little else to do."""

from __future__ import annotations

import random
import secrets
import time
import urllib.error
from collections.abc import Callable
from functools import partial

import numpy as np
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.resources import attributes, put
from bench.sending import http_sender
from bench.serving import Server


def delays(server: Server, turns: int) -> dict[str, tuple[float, float]]:
    """For a log record and a span: seconds (median, 99th percentile) from the 200 to the first answer that has it."""
    logs, spans = [], []
    for _ in range(turns):
        time.sleep(random.uniform(0.1, 0.6))
        mark = secrets.token_hex(16)
        _send(server, "logs", _log(mark))
        logs.append(_until(partial(_is_counted, server, mark)))
        _send(server, "traces", _span(mark))
        spans.append(_until(partial(_is_there, server, f"/api/traces/{mark}")))
    return {name: _quantiles(found) for name, found in (("logs", logs), ("spans", spans))}


def _send(server: Server, kind: str, body: memoryview) -> None:
    # A connection each: the server closes those that say nothing for some seconds.
    refused = http_sender(server.otlp, kind)(body)
    assert not refused, f"the server is overloaded for {refused} s"


def _until(condition: Callable[[], bool]) -> float:
    started = time.perf_counter()
    while not condition():
        assert time.perf_counter() - started < 30, "not visible after 30 s"
        time.sleep(0.005)
    return time.perf_counter() - started


def _is_counted(server: Server, mark: str) -> bool:
    return bool(server.get("/api/logs", count=1, contains=mark, since="5m")["count"] == 1)


def _is_there(server: Server, path: str) -> bool:
    try:
        server.get(path)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return False
    return True


def _quantiles(values: list[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(values, (50, 99))
    return float(p50), float(p99)


def _log(mark: str) -> memoryview:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    put(resource.resource.attributes, attributes(1))
    record = resource.scope_logs.add().log_records.add()
    record.time_unix_nano = time.time_ns()
    record.body.string_value = f"visible {mark}"
    return memoryview(request.SerializeToString())


def _span(mark: str) -> memoryview:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    put(resource.resource.attributes, attributes(1))
    span = resource.scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = bytes.fromhex(mark), secrets.token_bytes(8), "visible"
    span.start_time_unix_nano = time.time_ns()
    span.end_time_unix_nano = span.start_time_unix_nano + 1_000_000
    return memoryview(request.SerializeToString())
