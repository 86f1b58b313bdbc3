"""The running process: its banner, its health, what guards it, its own log and metrics, what it costs when idle."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pilothouse.server.guarding import known_hosts
from tests.acceptance import telemetry
from tests.running import RunningServer, start_server


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """One whose log and load are of this module's making."""
    return new_server


def test_the_banner_says_where_to_point_an_sdk(server: RunningServer) -> None:
    banner = server.log.read_text()
    assert f"Pilothouse is ready: {server.http}\n" in banner
    assert f"export OTEL_EXPORTER_OTLP_ENDPOINT={server.otlp}\n" in banner
    assert server.get("/api/status")["endpoints"] == {
        "http": server.http, "otlp_http": server.otlp, "otlp_grpc": server.addresses["grpc"]
    }  # fmt: skip


def test_it_is_healthy_and_ready(server: RunningServer) -> None:
    for path in ("/-/healthy", "/-/ready"):
        assert httpx.get(server.http + path).status_code == 200


def test_its_own_metrics_count_what_it_received(server: RunningServer) -> None:
    body = telemetry.logs("counted", ["one", "two"])
    before = _samples(server).get(("pilothouse_received_requests_total", "logs"), 0.0)
    assert httpx.post(f"{server.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF).status_code == 200
    server.wait_for("/api/logs", "logs", 2, selector='service_name="counted"')
    after = _samples(server)
    assert after["pilothouse_received_requests_total", "logs"] == before + 1
    assert after["pilothouse_stored_size_bytes_total", "logs"] > 0
    assert after["pilothouse_journal_size_bytes", "traces"] == 0


def _samples(server: RunningServer) -> dict[tuple[str, str], float]:
    answer = httpx.get(f"{server.http}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, one.labels.get("kind", "")): one.value for family in families for one in family.samples}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]", "[", "evil.example:80"])
def test_a_name_that_is_not_its_own_is_refused(server: RunningServer, host: str) -> None:
    """A page in a browser may have made its own name mean this address (DNS rebinding)."""
    for path in ("/api/status", "/", "/metrics", "/v1/logs"):
        answer = httpx.get(server.http + path, headers={"host": host})
        assert answer.status_code == 421
        assert answer.json()["error"]["code"] == "unknown_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1", "[::1]:4000"])
def test_loopback_by_any_name_is_answered(server: RunningServer, host: str) -> None:
    assert httpx.get(f"{server.http}/-/healthy", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("address", "allowed", "hosts"),
    [
        ("127.0.0.1:4000", "", {"localhost", "127.0.0.1", "::1"}),
        ("[::1]:4000", " pilot.example ,", {"localhost", "127.0.0.1", "::1", "pilot.example"}),
        ("0.0.0.0:4000", "", None),
        ("10.0.0.5:4000", "pilot.example", {"localhost", "127.0.0.1", "::1", "pilot.example", "10.0.0.5"}),
    ],
)
def test_which_names_are_known(address: str, allowed: str, hosts: set[str] | None) -> None:
    assert known_hosts(address, allowed) == hosts


@pytest.mark.parametrize("path", ["/", "/api/status", "/api/nothing", "/metrics"])
def test_every_answer_has_the_safe_headers(server: RunningServer, path: str) -> None:
    headers = httpx.get(server.http + path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("POST", "/api/logs", 405, "method_not_allowed"),
        ("GET", "/api/logs?since=soon", 400, "bad_request"),
        ("GET", "/api/logs?sinse=1h", 400, "bad_request"),
        ("GET", "/api/logs?start=2400-01-01", 400, "bad_request"),
        ("GET", "/api/logs?start=2020-01-01&end=1600-01-01", 400, "bad_request"),
        ("GET", "/api/metrics?step=" + "9" * 400 + "y", 400, "bad_request"),
        ("GET", "/api/logs?selector=a%3D~%22(%3F%3Db)%22", 400, "bad_request"),
        ("GET", "/api/logs?selector=a%3D~%22b%7B1001%7D%22", 400, "bad_request"),
        ("GET", "/api/traces?selector=a%3D~%22b%7B1001%7D%22", 400, "bad_request"),
        ("GET", "/api/traces/" + "ab" * 16, 404, "not_found"),
        ("GET", "/api/traces/zz", 400, "bad_request"),
    ],
)
def test_errors_are_words_with_a_fitting_status(
    server: RunningServer, method: str, path: str, status: int, code: str
) -> None:
    answer = httpx.request(method, server.http + path, timeout=60)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert code != "bad_request" or error["field"]


def test_a_client_that_goes_away_leaves_no_trace_in_the_log(server: RunningServer) -> None:
    import socket

    before = server.log.read_text()
    for port, path in (("otlp", "/v1/logs"), ("http", "/otlp/v1/logs"), ("http", "/pyroscope/ingest")):
        parts = urlsplit(server.addresses[port])
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            head = f"POST {path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/x-protobuf\r\n"
            connection.sendall(f"{head}content-length: 1000\r\n\r\nhalf".encode())
            time.sleep(0.1)
    assert httpx.get(f"{server.http}/-/healthy").status_code == 200
    time.sleep(0.2)
    assert server.log.read_text() == before


def test_its_log_is_json_when_nobody_looks_and_text_on_a_terminal(tmp_path: Path) -> None:
    """A crash leaves something to tell of at the next start, which is a quick one on a directory that there is.

    Two seconds of CPU are wanted for it; the bound is wide because the machine may be busy with other things.
    """
    server = start_server(tmp_path)
    sent = httpx.post(f"{server.otlp}/v1/logs", content=telemetry.logs("a", ["b"]), headers=telemetry.PROTOBUF)
    assert sent.status_code == 200
    server.kill()
    again = start_server(tmp_path)
    used = _cpu_seconds(again.process.pid) if Path("/proc/self/stat").exists() else 0.0
    print(f"ready after {used:.2f} s of CPU")
    again.kill()
    assert used < 6
    [line] = [json.loads(line) for line in again.log.read_text().splitlines() if line.startswith("{")]
    assert (line["event"], line["level"], line["requests"]) == ("stored what the journal held from before", "info", 1)
    assert line["timestamp"].endswith("Z")


def _on_a_terminal(*command: str) -> str:
    """What a program writes to a terminal until it is ready; then it gets Ctrl-C."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stderr=theirs, stdout=theirs)
    os.close(theirs)
    written = b""
    while b"OTEL_EXPORTER" not in written:
        written += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    os.close(ours)
    return written.decode()


def test_on_a_terminal_its_log_is_for_people(tmp_path: Path) -> None:
    server = start_server(tmp_path)
    body = telemetry.logs("a", ["b"])
    assert httpx.post(f"{server.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF).status_code == 200
    server.kill()
    written = _on_a_terminal(
        sys.executable, "-m", "pilothouse", "up", "--data", str(tmp_path / "data"), "--http", "127.0.0.1:0",
        "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0",
    )  # fmt: skip
    assert "stored what the journal held from before" in written
    assert '{"' not in written


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_an_idle_server_takes_under_3_percent_of_a_core(server: RunningServer) -> None:
    time.sleep(1)
    used, began = _cpu_seconds(server.process.pid), time.monotonic()
    time.sleep(5)
    share = (_cpu_seconds(server.process.pid) - used) / (time.monotonic() - began)
    print(f"idle: {share:.1%} of a core")
    assert share < 0.03
