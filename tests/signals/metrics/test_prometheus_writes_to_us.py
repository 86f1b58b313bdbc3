"""A real Prometheus scrapes itself and writes to us, while we are stopped and started: no gaps, no duplicates."""

from __future__ import annotations

import os
import time
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.running import start_server
from tests.signals.metrics.real_prometheus import BINARY, RealPrometheus, start_prometheus

pytestmark = pytest.mark.skipif(not BINARY, reason="needs Debian's package prometheus")

_SECONDS = 180 if os.environ.get("PILOTHOUSE_THOROUGH") else 7.5
_CONFIG = """
global:
  scrape_interval: 250ms
  scrape_timeout: 250ms
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["127.0.0.1:{port}"]
remote_write:
  - url: http://{ours}/prometheus/api/v1/write
    send_exemplars: true
    send_native_histograms: true
    queue_config:
      batch_send_deadline: 200ms
      min_backoff: 30ms
      max_backoff: 200ms
"""


def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    ours = start_server(tmp_path, "--http", address, PILOTHOUSE_FLUSH_INTERVAL="1s")
    theirs = None
    try:
        theirs = start_prometheus(tmp_path, _CONFIG.format(port=free_port(), ours=address))
        _retarget(tmp_path, theirs, address)
        begun = time.time()
        time.sleep(_SECONDS / 3)
        ours.kill()
        ours = start_server(tmp_path, "--http", address, PILOTHOUSE_FLUSH_INTERVAL="1s")
        time.sleep(_SECONDS / 3)
        ours.stop()
        ours = start_server(tmp_path, "--http", address, PILOTHOUSE_FLUSH_INTERVAL="1s")
        time.sleep(_SECONDS / 3)
        _assert_equal(ours.http, theirs.http, begun + 2, time.time() - 2)
    finally:
        if theirs:
            theirs.stop()
        ours.stop()


def _assert_equal(ours: str, theirs: str, start: float, end: float) -> None:
    """All samples of some series between two times, raw."""
    seconds = int(end - start)
    deadline = time.monotonic() + 60
    for query in ("up", "prometheus_http_requests_total", "process_cpu_seconds_total", "go_goroutines"):
        parameters = {"query": f"{query}[{seconds}s]", "time": end}
        wanted = _series(httpx.get(f"{theirs}/api/v1/query", params=parameters))
        assert wanted
        while (found := _series(httpx.get(f"{ours}/prometheus/api/v1/query", params=parameters))) != wanted:
            assert time.monotonic() < deadline, (query, _missing(wanted, found))
            time.sleep(0.3)


def _series(response: httpx.Response) -> dict[tuple[tuple[str, str], ...], list[list[object]]]:
    rows = response.json()["data"]["result"]
    return {tuple(sorted(row["metric"].items())): row["values"] for row in rows}


def _missing(wanted: dict, found: dict) -> str:  # type: ignore[type-arg]
    for labels, values in wanted.items():
        if found.get(labels) != values:
            return f"{labels}: {len(found.get(labels, []))} samples instead of {len(values)}"
    return f"{len(found)} series instead of {len(wanted)}"


def _retarget(directory: Path, theirs: RealPrometheus, ours: str) -> None:
    """Let Prometheus scrape itself, now that its port is known."""
    port = int(theirs.http.rpartition(":")[2])
    (directory / "prometheus.yml").write_text(_CONFIG.format(port=port, ours=ours))
    theirs.process.send_signal(1)
