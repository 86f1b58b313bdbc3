"""Federation: the formats as values, and a real Prometheus that scrapes the newest samples from us."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from pilothouse.signals.metrics.prometheus.federating import Format, federated, format_for, newest
from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.numbers import STALE
from tests.running import RunningServer
from tests.signals.metrics.real_prometheus import BINARY, HEADERS, encoded, start_prometheus

_SAMPLES = {
    labels_of({NAME: "up", "job": 'a"b\\\n', "instance": "x:1"}): (1_500, 1.0),
    labels_of({NAME: "orders_total", "region": "north"}): (2_000, 1e9),
    labels_of({NAME: "http.requests", "x.y": "z"}): (3_000, float("inf")),
}


def test_the_plain_text() -> None:
    assert federated(_SAMPLES, {"region": "all", "zone": "1"}, Format()).decode() == (
        "# TYPE http_requests untyped\n"
        'http_requests{x_y="z",instance="",region="all",zone="1"} +Inf 3000\n'
        "# TYPE orders_total untyped\n"
        'orders_total{region="north",instance="",zone="1"} 1e+09 2000\n'
        "# TYPE up untyped\n"
        'up{instance="x:1",job="a\\"b\\\\\\n",region="all",zone="1"} 1 1500\n'
    )


def test_open_metrics_with_any_names() -> None:
    said = federated(_SAMPLES, {}, Format("application/openmetrics-text", "1.0.0", any_names=True)).decode()
    assert said.splitlines()[:2] == ['# TYPE "http.requests" unknown', '{"http.requests","x.y"="z",instance=""} +Inf 3']
    assert said.endswith(" 1 1.5\n# EOF\n")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Format()),
        ("*/*", Format()),
        ("text/html,application/protobuf;q=0.9;x=y,,;q=z", Format()),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
         Format("application/openmetrics-text", "1.0.0")),
        ("application/openmetrics-text;version=9;q=0.9,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4",
         Format("text/plain", "1.0.0", any_names=True)),
    ],
)  # fmt: skip
def test_the_format_is_the_one_that_is_liked_best(accept: str, expected: Format) -> None:
    assert format_for(accept) == expected


def test_only_the_newest_samples_of_series_that_go_on() -> None:
    store = MemoryStorage()
    for name, moment, value in (("a", 10, 1.0), ("a", 20, 2.0), ("b", 10, 1.0), ("b", 20, STALE), ("c", 1, 1.0)):
        store.add(labels_of({NAME: name}), moment, value)
    selectors = [[Matcher(NAME, "=~", "a|b|c")], [Matcher(NAME, "=", "a")]]
    assert newest(store, selectors, 5, 30) == {labels_of({NAME: "a"}): (20, 2.0)}


@pytest.mark.skipif(not BINARY, reason="needs Debian's package prometheus")
def test_a_real_prometheus_federates_from_us(server: RunningServer, tmp_path: Path) -> None:
    now = int(time.time()) * 1000
    series = [
        ({NAME: "federated_orders", "instance": "a:1", "job": "shop"}, [(now - 1000, 3.0), (now, 4.5)]),
        ({NAME: "federated_all"}, [(now, 7.0)]),
    ]
    httpx.post(f"{server.http}/prometheus/api/v1/write", content=encoded(series), headers=HEADERS).raise_for_status()
    address = server.http.removeprefix("http://")
    config = f"""
scrape_configs:
  - job_name: federate
    scrape_interval: 500ms
    scrape_timeout: 500ms
    honor_labels: true
    metrics_path: /prometheus/federate
    params: {{"match[]": ['{{__name__=~"federated_.+"}}']}}
    static_configs: [{{targets: ["{address}"]}}]
"""
    theirs = start_prometheus(tmp_path, config)
    try:
        deadline = time.monotonic() + 60
        query = {"query": '{__name__=~"federated_.+"}'}
        while len(found := theirs.get("query", query).json()["data"]["result"]) < 2:
            assert time.monotonic() < deadline, theirs.get("targets").text
            time.sleep(0.2)
        told = {row["metric"].pop(NAME): (row["metric"], row["value"][1]) for row in found}
        assert told == {
            "federated_orders": ({"instance": "a:1", "job": "shop"}, "4.5"),
            "federated_all": ({"job": "federate"}, "7"),
        }
    finally:
        theirs.stop()
    refused = httpx.get(f"{server.http}/prometheus/federate", params={"match[]": "{"})
    assert refused.status_code == 400
    assert "match[]" in refused.text
    assert httpx.get(f"{server.http}/prometheus/federate").text == ""
