"""Two servers on one ClickHouse and one PostgreSQL: one leads, is killed, and the other does what it did."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.control.postgres import new_database
from tests.engine.clickhouse_front import clickhouse
from tests.running import RunningServer, start_server

_RULES = """
groups:
  - name: heart
    interval: 1s
    rules:
      - record: heart:beats
        expr: vector(1)
"""


def _servers(directory: Path, url: str, store: str) -> list[RunningServer]:
    (directory / "rules.yml").write_text(_RULES)
    (directory / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    found = []
    for name in ("one", "other"):
        (directory / name).mkdir()
        found.append(
            start_server(
                directory / name,
                PILOTHOUSE_STORE=store,
                PILOTHOUSE_DATABASE=url,
                PILOTHOUSE_PROMETHEUS_CONFIG=str(directory / "prometheus.yml"),
            )
        )
    return found


def _send(server: RunningServer, body: str) -> None:
    line = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": body}}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}
    told = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [line]}]}]}
    httpx.post(f"{server.otlp}/v1/logs", json=told, timeout=60).raise_for_status()


def _beats(server: RunningServer, since: float = 0) -> list[float]:
    now = time.time()
    path, asked = "/prometheus/api/v1/query", {"query": "heart:beats[10m]", "time": now}
    answer = httpx.get(server.http + path, params=asked, timeout=60).raise_for_status().json()
    return [at for one in answer["data"]["result"] for at, _ in one["values"] if at > since]


def _wait_for_beats(server: RunningServer, least: int, since: float = 0) -> list[float]:
    deadline = time.monotonic() + 90
    while len(found := _beats(server, since)) < least:
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.5)
    return found


@pytest.mark.skipif(
    not os.environ.get("PILOTHOUSE_THOROUGH"), reason="four servers and a ClickHouse: PILOTHOUSE_THOROUGH=1 runs it"
)
def test_one_leads_and_the_other_takes_over(postgres: str, tmp_path: Path) -> None:
    with clickhouse(tmp_path / "clickhouse") as store:
        one, other = _servers(tmp_path, new_database(postgres, str(tmp_path)), store)
        try:
            assert "stands by" in other.log.read_text()
            assert "stands by" not in one.log.read_text()
            _wait_for_beats(other, 2)
            for number, server in enumerate((one, other, one, other)):
                _send(server, f"line {number}")
            made = httpx.post(one.http + "/api/releases", json={"service": "checkout", "version": "9.0.0"}, timeout=60)
            assert made.status_code == 201
            one.kill()
            killed = time.time()
            _wait_for_beats(other, 2, killed)
            assert "this server leads now" in other.log.read_text()

            beats = sorted(_beats(other))
            apart = [later - earlier for earlier, later in pairwise(beats)]
            assert min(apart) > 0.5, f"each second is evaluated once: {beats}"
            # What the killed one had acknowledged is in its journal and is stored when it starts anew, to stand by.
            one = start_server(
                tmp_path / "one", PILOTHOUSE_STORE=store, PILOTHOUSE_DATABASE=new_database(postgres, str(tmp_path))
            )
            assert "stands by" in one.log.read_text()[-2000:]
            lines = other.wait_for("/api/logs", "logs", 4, selector='service_name="checkout"', since="10m")["logs"]
            assert sorted(line["body"] for line in lines) == [f"line {number}" for number in range(4)]
            assert other.get("/api/releases")["releases"][0]["version"] == "9.0.0", "marked on one, known to the other"
            assert other.stop() == 0
            deadline = time.monotonic() + 90
            while "this server leads now" not in one.log.read_text():
                assert time.monotonic() < deadline, "the lease was not given back"
                time.sleep(0.2)
        finally:
            for server in (one, other):
                server.kill()
