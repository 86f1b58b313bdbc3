"""The same targets scraped by us and by the real Prometheus: the same series, the same targets, the same ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import prometheus_client
import pytest
import yaml
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics

from tests.running import RunningServer, start_server
from tests.signals.metrics.real_prometheus import BINARY, RealPrometheus, start_prometheus

pytestmark = pytest.mark.skipif(not BINARY, reason="needs Debian's package prometheus")

_CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 900ms
scrape_configs:
  - job_name: shop
    params: {{module: [checkout]}}
    static_configs:
      - targets: ["{address}"]
        labels: {{region: north, job: renamed}}
    metric_relabel_configs:
      - {{source_labels: [__name__], regex: "dropped_.*", action: drop}}
      - {{source_labels: [path], regex: "/(.*)", target_label: route}}
  - job_name: files
    honor_labels: true
    basic_auth: {{username: us, password: secret}}
    file_sd_configs: [{{files: ["targets-*.json"]}}]
    relabel_configs:
      - {{source_labels: [__meta_filepath], regex: ".*/(.*)", target_label: file}}
      - {{source_labels: [drop], regex: "yes", action: drop}}
  - job_name: web
    metrics_path: /plain
    http_sd_configs: [{{url: "http://{address}/discover", refresh_interval: 1s}}]
  - job_name: broken
    metrics_path: /broken
    static_configs: [{{targets: ["{address}"]}}]
  - job_name: limited
    sample_limit: 2
    static_configs: [{{targets: ["{address}"]}}]
"""


@dataclass
class Shop:
    """A target with a registry of prometheus-client's, in both text formats, and what else a scraper may meet."""

    registry: prometheus_client.CollectorRegistry = field(default_factory=prometheus_client.CollectorRegistry)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.orders = prometheus_client.Counter("orders", "Orders.", ["path", "instance"], registry=self.registry)
        self.orders.labels("/buy", "theirs").inc(3)
        seconds = prometheus_client.Histogram("seconds", "Time.", registry=self.registry, buckets=(0.1, 1, 10))
        seconds.observe(0.5, {"trace_id": "5b8aa5a2d2c872e8321cf37308d69df2"})
        prometheus_client.Summary("sizes", "Sizes.", registry=self.registry).observe(7)
        prometheus_client.Gauge("dropped_gauge", "Not wanted.", registry=self.registry).set(1)
        self.gauge = prometheus_client.Gauge("temperature", "Of rooms.", ["room"], registry=self.registry)
        self.gauge.labels("hall").set(-3.5)
        self.gauge.labels("attic").set(float("nan"))

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.asked.append((handler.path, handler.headers.get("Authorization", "")))
        kind, body = "text/plain; version=0.0.4", prometheus_client.generate_latest(self.registry)  # type: ignore[no-untyped-call]
        match path:
            case "/discover":
                kind = "application/json"
                body = json.dumps([{"targets": [handler.headers["Host"]], "labels": {"from": "http"}}]).encode()
            case "/broken":
                body = b"this is { not metrics\n"
            case "/metrics":
                kind, body = "application/openmetrics-text; version=1.0.0; charset=utf-8", open_metrics(self.registry)
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@dataclass
class Beside:
    shop: Shop
    ours: RunningServer
    theirs: RealPrometheus
    directory: Path

    def both(self, path: str, **parameters: Any) -> tuple[Any, Any]:
        ours = httpx.get(f"{self.ours.http}/prometheus/api/v1/{path}", params=parameters, timeout=60).json()
        theirs = httpx.get(f"{self.theirs.http}/api/v1/{path}", params=parameters, timeout=60).json()
        return ours["data"], theirs["data"]

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.ours.log.read_text()[-3000:]
            time.sleep(0.4)

    def same(self, query: str) -> bool:
        """Whether both answer the query with the same label sets (values pass while we ask)."""
        ours, theirs = (_labels(one) for one in self.both("query", query=query))
        return bool(ours) and ours == theirs


def _labels(data: Any) -> list[Any]:
    return sorted(sorted(one["metric"].items()) for one in data["result"])


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    shop, directory = Shop(), tmp_path_factory.mktemp("scraped")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop.answer(self)

        def log_message(self, *_: Any) -> None: ...

    target = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{target.server_port}"
    groups = [{"targets": [address], "labels": {"job": "mine"}}, {"targets": ["a:1"], "labels": {"drop": "yes"}}]
    (directory / "targets-1.json").write_text(json.dumps(groups))
    config = _CONFIG.format(address=address)
    theirs = start_prometheus(directory, config)
    ours = start_server(
        directory, "--prometheus-config", str(directory / "prometheus.yml"), PILOTHOUSE_FLUSH_INTERVAL="1s"
    )
    try:
        yield Beside(shop, ours, theirs, directory)
    finally:
        ours.stop()
        theirs.stop()
        target.shutdown()
        target.server_close()


def test_the_same_series(beside: Beside) -> None:
    for query in ("{region='north'}", "{file=~'.+'}", "{job='web'}", "{job='broken'}", "{job='limited'}", "up"):
        beside.until(partial(beside.same, query))
    assert beside.both("query", query="sum by (job) (up)")[0]["result"]
    ours, theirs = (
        {one["metric"]["job"]: one["value"][1] for one in data["result"]} for data in beside.both("query", query="up")
    )
    assert ours == theirs == {"renamed": "1", "mine": "1", "web": "1", "broken": "0", "limited": "0"}


def test_values(beside: Beside) -> None:
    query = "{__name__=~'orders_total|seconds_.*|temperature|scrape_samples_.*',job=~'renamed|web'}"

    def values() -> list[Any]:
        return [
            sorted((sorted(one["metric"].items()), one["value"][1]) for one in data["result"]
                   if "created" not in one["metric"]["__name__"])
            for data in beside.both("query", query=query)
        ]  # fmt: skip

    beside.until(lambda: bool(values()[0]) and values()[0] == values()[1])


def test_targets(beside: Beside) -> None:
    ours, theirs = beside.both("targets")
    kept = ("discoveredLabels", "labels", "scrapePool", "health", "scrapeInterval", "scrapeTimeout", "scrapeUrl")
    for data in (ours, theirs):
        active = data["activeTargets"]
        for one in active:
            # Prometheus 2.42 mixes what relabelling made into what was discovered.
            if one["scrapePool"] == "files":
                one["discoveredLabels"] = {}
        data["activeTargets"] = sorted(json.dumps({key: one[key] for key in kept}, sort_keys=True) for one in active)
    assert ours["activeTargets"] == theirs["activeTargets"]
    assert [one["discoveredLabels"] for one in ours["droppedTargets"]] == [
        one["discoveredLabels"] for one in theirs["droppedTargets"]
    ]
    (limited,) = (one for one in beside.both("targets")[0]["activeTargets"] if one["scrapePool"] == "limited")
    assert limited["lastError"] == "sample limit exceeded"


def test_credentials_parameters_and_metadata(beside: Beside) -> None:
    assert ("/metrics?module=checkout", "") in beside.shop.asked
    assert any(header == "Basic dXM6c2VjcmV0" for _, header in beside.shop.asked)
    ours, theirs = beside.both("metadata", metric="seconds")
    assert ours == theirs == {"seconds": [{"type": "histogram", "unit": "", "help": "Time."}]}


def test_metadata_of_targets(beside: Beside) -> None:
    def said(**parameters: Any) -> list[list[str]]:
        answers = beside.both("targets/metadata", **parameters)
        return [sorted(json.dumps(one, sort_keys=True) for one in data) for data in answers]

    # Of a scrape that is refused for its size we keep nothing, Prometheus what it says of its metrics.
    kept = '{job!="limited"}'

    def same() -> bool:
        ours, theirs = said(match_target=kept)
        return bool(ours) and ours == theirs

    beside.until(same)
    for parameters in (
        {"metric": "seconds", "match_target": kept},
        {"match_target": '{region="north"}'},
        {"match_target": '{job="x"}'},
    ):
        ours, theirs = said(**parameters)
        assert ours == theirs
    assert len(said(limit=2)[0]) == 2
    for parameters in ({"limit": "x"}, {"match_target": "{"}):
        answer = httpx.get(f"{beside.ours.http}/prometheus/api/v1/targets/metadata", params=parameters)
        assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")


def test_exemplars(beside: Beside) -> None:
    query = "seconds_bucket{region='north'}"
    found = beside.both("query_exemplars", query=query, start=time.time() - 600, end=time.time() + 60)[0]
    assert found[0]["exemplars"][0]["labels"] == {"trace_id": "5b8aa5a2d2c872e8321cf37308d69df2"}


def test_what_is_gone_ends(beside: Beside) -> None:
    beside.shop.gauge.remove("hall")
    beside.until(lambda: all(not data["result"] for data in beside.both("query", query="temperature{room='hall'}")))
    assert beside.both("query", query="temperature{room='attic',region='north'}")[0]["result"]
    (beside.directory / "targets-1.json").write_text("[]")
    beside.until(lambda: all(not data["result"] for data in beside.both("query", query="up{job='mine'}")))


def test_reloading(beside: Beside) -> None:
    file = beside.directory / "prometheus.yml"
    file.write_text("scrape_configs: [{job_name: x, oops: 1}]")
    refused = httpx.post(f"{beside.ours.http}/prometheus/-/reload", timeout=60)
    assert refused.status_code == 500
    assert "scrape_configs.0.oops: there is no such setting" in refused.text
    said = yaml.safe_load(beside.ours.get("/prometheus/api/v1/status/config")["data"]["yaml"])
    assert said["scrape_configs"][1]["basic_auth"] == {"username": "us", "password": "<secret>"}
    assert said["global"]["evaluation_interval"] == "1m"
    assert not beside.ours.get("/prometheus/api/v1/status/runtimeinfo")["data"]["reloadConfigSuccess"]
    file.write_text("global: {query_log_file: queries.log}\nscrape_configs: []")
    assert httpx.post(f"{beside.ours.http}/prometheus/-/reload", timeout=60).status_code == 200
    assert beside.ours.get("/prometheus/api/v1/targets")["data"]["activeTargets"] == []
    assert beside.ours.get("/prometheus/api/v1/status/runtimeinfo")["data"]["reloadConfigSuccess"]
    beside.until(lambda: not beside.both("query", query="up")[0]["result"])
    first = json.loads((beside.directory / "queries.log").read_text().splitlines()[0])
    assert (first["params"]["query"], first["httpRequest"]["path"]) == ("up", "/prometheus/api/v1/query")
    assert first["stats"]["timings"]["execTotalTime"] > 0
