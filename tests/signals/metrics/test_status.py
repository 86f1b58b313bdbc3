"""What the status calls say is true of the process, and no secret is in it."""

from __future__ import annotations

import socket
import time

import httpx
import yaml

from pilothouse.signals.metrics.showing import shown
from tests.running import RunningServer

_STATUS = "/prometheus/api/v1/status"


def test_flags_and_runtime_are_those_of_the_process(server: RunningServer) -> None:
    flags = server.get(f"{_STATUS}/flags")["data"]
    assert flags["web.listen-address"] == server.http.removeprefix("http://")
    assert flags["storage.tsdb.path"] == str(server.log.parent / "data")
    assert (flags["storage.tsdb.retention.time"], flags["config.file"]) == ("30d", "")
    assert (flags["query.timeout"], flags["query.max-samples"]) == ("2m", "50000000")
    assert all(isinstance(value, str) for value in flags.values())
    told = server.get(f"{_STATUS}/runtimeinfo")["data"]
    assert (told["hostname"], told["storageRetention"]) == (socket.gethostname(), "30d")
    assert told["goroutineCount"] > 1
    assert told["GOMAXPROCS"] >= 1
    started, now = (time.strptime(told[key], "%Y-%m-%dT%H:%M:%SZ") for key in ("startTime", "serverTime"))
    assert started <= now
    assert yaml.safe_load(server.get(f"{_STATUS}/config")["data"]["yaml"])["global"]["scrape_interval"] == "1m"


def test_the_configuration_is_shown_with_defaults_and_without_secrets() -> None:
    said = """
scrape_configs:
- job_name: é
  basic_auth: {username: us, password: hush}
  authorization: {credentials: hush}
  tls_config: {key: hush, key_file: /k}
  bearer_token: ""
  http_headers: {x-token: {secrets: [hush]}}
  http_sd_configs: [{url: "http://me:hush@host:80/x"}]
  static_configs: [{targets: [a], labels: {key: shown, password: shown}}]
global: {scrape_interval: 5s, external_labels: {a: b}}
"""
    text = shown(yaml.safe_load(said))
    assert "hush" not in text
    told = yaml.safe_load(text)
    assert told["global"] == {
        "scrape_interval": "5s", "scrape_timeout": "10s", "evaluation_interval": "1m", "external_labels": {"a": "b"}
    }  # fmt: skip
    (job,) = told["scrape_configs"]
    assert job["job_name"] == "é"
    assert job["basic_auth"] == {"username": "us", "password": "<secret>"}
    assert job["tls_config"] == {"key": "<secret>", "key_file": "/k"}
    assert job["http_sd_configs"] == [{"url": "http://me:xxxxx@host:80/x"}]
    assert job["static_configs"][0]["labels"] == {"key": "shown", "password": "shown"}
    assert yaml.safe_load(shown({})) == yaml.safe_load(shown(None))


def test_admin_calls_are_off_as_in_prometheus(server: RunningServer) -> None:
    for call in ("delete_series?match[]=up", "clean_tombstones", "snapshot"):
        answer = httpx.post(f"{server.http}/prometheus/api/v1/admin/tsdb/{call}")
        assert answer.status_code == 500
        assert answer.json() == {"status": "error", "errorType": "unavailable", "error": "admin APIs disabled"}


def test_where_prometheus_takes_otlp(server: RunningServer) -> None:
    taken = httpx.post(
        f"{server.http}/prometheus/api/v1/otlp/v1/metrics",
        content=b"",
        headers={"content-type": "application/x-protobuf"},
    )
    assert taken.status_code == 200
    assert httpx.post(f"{server.http}/prometheus/api/v1/otlp/v1/logs", content=b"").status_code in (404, 405)


def test_what_the_pages_of_prometheus_ask(server: RunningServer) -> None:
    assert server.get("/prometheus/api/v1/notifications")["data"] == []
    assert server.get("/prometheus/api/v1/status/tsdb/blocks")["data"] == {"blocks": []}
    tree = server.get("/prometheus/api/v1/parse_query", query="rate(a[step() * 2m] offset -(5m)) + fill(2) b")["data"]
    assert tree["matching"]["fillValues"] == {"lhs": 2, "rhs": 2}
    step, minutes = (tree["lhs"]["args"][0]["rangeExpr"][side] for side in ("lhs", "rhs"))
    assert step == {"type": "durationExpr", "op": "step", "lhs": None, "rhs": None, "wrapped": False}
    assert minutes == {"type": "numberLiteral", "val": "120", "duration": True}
    for limit in ("0", "x", "-1"):
        answer = httpx.get(f"{server.http}/prometheus/api/v1/status/tsdb", params={"limit": limit})
        assert answer.status_code == 400, answer.text
