"""`pilothouse traces` with TraceQL and as a waterfall, and the service graph, on a running server."""

from __future__ import annotations

import json

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.running import RunningServer
from tests.signals.traces.shop_spans import BASE, request

ORDER = f"{4:032x}"
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def filled(server: RunningServer) -> RunningServer:
    record = LogRecord(
        time_unix_nano=BASE + 240 * SECOND, body=AnyValue(string_value="stock is locked"), severity_text="WARN",
        trace_id=bytes.fromhex(ORDER), span_id=(3).to_bytes(8, "big"),
    )  # fmt: skip
    logs = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[record])])])
    for kind, body in (("traces", request()), ("logs", logs)):
        headers = {"content-type": "application/x-protobuf"}
        httpx.post(f"{server.otlp}/v1/{kind}", content=body.SerializeToString(), headers=headers).raise_for_status()
    server.wait_for("/api/traces", "traces", 5, 10, since="3h")
    server.wait_for("/api/logs", "logs", 1, 10, since="3h")
    return server


def run(server: RunningServer, *arguments: str) -> str:
    result = CliRunner().invoke(program(), ["traces", *arguments, "--server", server.http])
    assert result.exit_code == 0, result.output
    return result.output


def test_search_with_traceql(filled: RunningServer) -> None:
    rows = [json.loads(line) for line in run(filled, "{ status = error }", "--since", "3h", "-o", "json").splitlines()]
    assert [(row["trace_id"], row["service"], row["spans"], row["errors"]) for row in rows] == [
        (ORDER, "gateway", 5, 2)
    ]
    assert "GET /order" in run(filled, "{ .items = 4 }", "--since", "3h", "-o", "table")
    wrong = CliRunner().invoke(program(), ["traces", "{ .a = }", "--server", filled.http])
    assert (wrong.exit_code, "line 1, col 8" in wrong.output) == (3, True)
    mixed = httpx.get(filled.http + "/api/traces", params={"q": "{ }", "service": "shop"})
    assert (mixed.status_code, mixed.json()["error"]["field"]) == (400, "q")


def test_the_waterfall_marks_the_critical_path_and_shows_log_lines(filled: RunningServer) -> None:
    lines = run(filled, ORDER, "--logs", "-o", "table").splitlines()
    assert ["* " in line for line in lines[1:4]] == [True, True, True]
    [said] = [place for place, line in enumerate(lines) if "WARN stock is locked" in line]
    assert "shop order" in lines[said - 1]
    assert "stock is locked" not in run(filled, ORDER, "-o", "table")


def test_the_service_graph(filled: RunningServer) -> None:
    edges = filled.get("/api/traces/graph", since="3h")["edges"]
    found = {(edge["client"], edge["server"]): (edge["kind"], edge["calls"], edge["errors"]) for edge in edges}
    assert found == {("gateway", "shop"): ("service", 4, 1), ("shop", "postgresql"): ("database", 8, 0)}
    [gateway] = [edge for edge in edges if edge["client"] == "gateway"]
    assert gateway["p50"] == pytest.approx(225, abs=50)
    assert gateway["rate"] == pytest.approx(4 / 10_800, rel=0.01)
