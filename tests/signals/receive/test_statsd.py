"""StatsD and DogStatsD: the lines, and their real clients over UDP and a Unix socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import statsd as plain_statsd  # type: ignore[import-untyped]

from pilothouse.signals.receive.statsd_aggregating import Aggregator
from pilothouse.signals.receive.statsd_lines import Check, Event, LineError, Metric, parse
from tests.ports import free_port
from tests.running import RunningServer, start_server


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a.b:1|c", Metric("a.b", "counter", ["1"], 1.0, (), 0.0)),
        ("a:1:2:3.5|d|@0.5|#x:y,z", Metric("a", "distribution", ["1", "2", "3.5"], 0.5, ("x:y", "z"), 0.0)),
        ("a:-5|g|#x:http://h:1|T1656581400", Metric("a", "gauge", ["-5"], 1.0, ("x:http://h:1",), 1656581400.0)),
        ("a:b:c|s", Metric("a", "set", ["b:c"], 1.0, (), 0.0)),
        ("a:3|ms|c:ci-83c0", Metric("a", "timer", ["3"], 1.0, ("container_id:83c0",), 0.0)),
        ("_e{3,4}:hé|a\\nb|t:error|#x:y|d:5", Event("hé", "a\nb", "error", 5.0, ("x:y",))),
        ("_sc|db|2|d:7|h:x|#a:b|m:says", Check("db", 2, 7.0, ("host:x", "a:b"))),
    ],
)
def test_lines(line: str, found: Any) -> None:
    assert parse(line) == found


@pytest.mark.parametrize(
    "line",
    ["", "a", "a:1", "a:x|c", ":1|c", "a:1|q", "a:1|c|@0", "a:1|c|@x", "a:1|c|Tx", "_e{a}:x", "_sc|x|9", "_sc|x"],
)
def test_lines_that_are_none(line: str) -> None:
    with pytest.raises(LineError):
        parse(line)


def test_counting() -> None:
    counted = Aggregator()
    for line in ("a:1|c|@0.1", "a:2|c", "g:3|g", "g:+2|g", "g:-1|g", "s:x|s", "s:y|s", "s:x|s"):
        counted.add(parse(line), 100.0)  # type: ignore[arg-type]
    told = _told(counted, 110.0)
    assert told == {"a": 12.0, "g": -1.0, "s": 2.0}
    counted.add(parse("a:1|c"), 111.0)  # type: ignore[arg-type]
    assert _told(counted, 120.0) == {"a": 13.0, "g": -1.0}
    assert _told(counted, 111.0 + 3600) == {"a": 13.0, "g": -1.0}
    assert _told(counted, 111.0 + 3601) == {}


def _told(counted: Aggregator, now: float) -> dict[str, float]:
    request = counted.flush(now)._request
    return {
        metric.name: getattr(metric, metric.WhichOneof("data")).data_points[0].as_double
        for resource in request.resource_metrics
        for metric in resource.scope_metrics[0].metrics
    }


@dataclass
class Listening:
    server: RunningServer
    port: int
    socket: Path

    def ask(self, query: str) -> list[Any]:
        found = self.server.get("/prometheus/api/v1/query", query=query)["data"]["result"]
        return [(one["metric"], one.get("value", one.get("histogram"))[1]) for one in found]

    def until(self, query: str, seconds: float = 60) -> list[Any]:
        deadline = time.monotonic() + seconds
        while not (found := self.ask(query)):
            assert time.monotonic() < deadline, self.server.log.read_text()
            time.sleep(0.3)
        return found


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    directory = tmp_path_factory.mktemp("statsd")
    port = free_port()
    path = directory / "dsd.socket"
    server = start_server(
        directory, PILOTHOUSE_STATSD=f"127.0.0.1:{port}", PILOTHOUSE_STATSD_SOCKET=str(path),
        PILOTHOUSE_STATSD_INTERVAL="1s",
    )  # fmt: skip
    yield Listening(server, port, path)
    assert server.stop() == 0
    assert not path.exists()


def test_datadog_client_over_udp(listening: Listening) -> None:
    from datadog.dogstatsd.base import DogStatsd

    client = DogStatsd(host="127.0.0.1", port=listening.port, constant_tags=["service:shop", "env:test"])
    client.increment("page.views", 3, tags=["path:/buy"])
    client.gauge("queue.size", 7)
    for value in (0.1, 0.2, 0.4):
        client.distribution("latency", value)
    client.timing("render", 250)
    client.set("users", "a")
    client.service_check("db.up", client.WARNING, tags=["db:main"])
    client.event("Deployed", "1.2.3", alert_type="info")
    client.flush()
    client.close_socket()
    ((labels, value),) = listening.until("page_views_total")
    assert value == "3"
    assert labels == {
        "__name__": "page_views_total", "job": "shop", "service": "shop", "env": "test", "path": "/buy",
        "otel_scope_name": "statsd",
    }  # fmt: skip
    assert listening.until("queue_size")[0][1] == "7"
    assert listening.until("users")[0][1] == "1"
    assert listening.until('db_up{db="main"}')[0][1] == "1"
    assert listening.until("histogram_count(latency)")[0][1] == "3"
    assert float(listening.until("histogram_quantile(1, latency)")[0][1]) == pytest.approx(0.4, rel=0.05)
    assert float(listening.until("histogram_sum(render_milliseconds)")[0][1]) == 250
    logs = listening.server.wait_for("/api/logs", "logs", 1, selector='service_name="shop"', since="5m")["logs"]
    assert logs[0]["body"] == "Deployed\n1.2.3"


def test_datadog_client_over_a_unix_socket(listening: Listening) -> None:
    from datadog.dogstatsd.base import DogStatsd

    client = DogStatsd(socket_path=str(listening.socket))
    client.increment("by.socket", tags=["a:b"])
    client.flush()
    client.close_socket()
    assert listening.until('by_socket_total{a="b"}')[0][1] == "1"


def test_plain_statsd_and_nonsense(listening: Listening) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"\xff\xfe|||\nnonsense:1|zz\n", ("127.0.0.1", listening.port))
    client = plain_statsd.StatsClient("127.0.0.1", listening.port)
    client.incr("plain.counter", 2)
    client.timing("plain.timer", 320)
    client.close()
    assert listening.until("plain_counter_total")[0][1] == "2"
    assert listening.until("histogram_count(plain_timer_milliseconds)")[0][1] == "1"
