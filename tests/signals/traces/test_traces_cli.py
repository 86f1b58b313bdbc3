"""`pilothouse traces` with TraceQL and as a waterfall, and the service graph, on a running server."""

from __future__ import annotations

import json

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.running import RunningServer
from tests.signals.traces.shop_spans import BASE, of, request, span

ORDER = f"{4:032x}"
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """Nothing but what is sent here."""
    return new_server


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
    server.wait_for("/api/traces", "traces", 5, since="3h")
    server.wait_for("/api/logs", "logs", 1, since="3h")
    return server


def run(server: RunningServer, *arguments: str) -> str:
    result = CliRunner().invoke(program("traces"), ["traces", *arguments, "--server", server.http])
    assert result.exit_code == 0, result.output
    return result.output


def test_search_with_traceql(filled: RunningServer) -> None:
    rows = [json.loads(line) for line in run(filled, "{ status = error }", "--since", "3h", "-o", "json").splitlines()]
    assert [(row["trace_id"], row["service"], row["spans"], row["errors"]) for row in rows] == [
        (ORDER, "gateway", 5, 2)
    ]
    shown = run(filled, "{ .items = 4 }", "--since", "3h", "-o", "table")
    assert "GET /order" in shown
    # What is shown can be asked for, in a terminal of 80 columns too.
    assert ORDER in shown
    wrong = CliRunner().invoke(program("traces"), ["traces", "{ .a = }", "--server", filled.http])
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


def test_where_time_goes(filled: RunningServer) -> None:
    rows = [
        json.loads(line)
        for line in run(filled, "--critical", "--service", "shop", "--since", "3h", "-o", "json").splitlines()
    ]
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    # Only in the shortest trace has the one query ended before the other begins.
    assert {row["name"] for row in rows if row["traces"] < 4} == {"SELECT stock"}
    told = {row["name"]: row["milliseconds"] for row in rows}
    # Of the four traces: 100, 200, 300 and 400 ms, in which the clients' spans leave out 10, 20, 30 and 40.
    assert told["GET /order"] == pytest.approx((10 + 20 + 30 + 40) / 4)
    assert told["UPDATE stock"] == pytest.approx((30 + 60 + 90 + 120) / 4)
    table = run(filled, "--critical", "--service", "shop", "--since", "3h", "-o", "table")
    assert "UPDATE stock" in table
    assert "4 of 4" in table


def test_two_versions(filled: RunningServer) -> None:
    for version, factor in (("1.0", 1), ("2.0", 3)):
        spans = []
        for trace in range(12):
            number = 1000 * factor + trace
            spans += [
                span(number, 1, 0, "POST /pay", 2, trace, 30 + 20 * factor + trace),
                span(number, 2, 1, "check", 1, trace, 20),
                span(number, 3, 1, "charge", 3, trace + 20, 20 * factor + trace, 2 if factor == 3 else 0),
            ]
        for one in spans:
            # All within the same minute; the number of a trace would spread them over a day.
            back = int.from_bytes(one.trace_id, "big") * 60 * SECOND
            one.start_time_unix_nano -= back
            one.end_time_unix_nano -= back
        made = of("pay", spans, **{"service.version": version})
        body = ExportTraceServiceRequest(resource_spans=[made]).SerializeToString()
        headers = {"content-type": "application/x-protobuf"}
        httpx.post(f"{filled.otlp}/v1/traces", content=body, headers=headers).raise_for_status()
    filled.wait_for("/api/traces", "traces", 24, since="3h", service="pay", limit=100)
    asked = ("--service", "pay", "--compare", "1.0", "2.0", "--since", "3h")
    rows = [json.loads(line) for line in run(filled, *asked, "-o", "json").splitlines()]
    assert [(row["name"], row["depth"], row["verdict"]) for row in rows] == [
        ("POST /pay", 0, "slower"), ("charge", 1, "slower"), ("check", 1, ""),
    ]  # fmt: skip
    assert (rows[1]["baseline"]["errors"], rows[1]["candidate"]["errors"]) == (0, 12)
    assert rows[1]["change"] == pytest.approx(65.5 / 25.5 - 1)
    table = run(filled, *asked, "-o", "table")
    assert "slower" in table
    assert "0 → 12" in table
    assert "No trace of pay 9.9" in run(
        filled, "--service", "pay", "--compare", "1.0", "9.9", "--since", "3h", "-o", "table"
    )
    lacking = CliRunner().invoke(program("traces"), ["traces", "--compare", "1", "2", "--server", filled.http])
    assert (lacking.exit_code, "--service" in lacking.output) == (3, True)
