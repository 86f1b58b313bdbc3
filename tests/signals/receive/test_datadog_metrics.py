"""Datadog's metric intake: its real Python client, the agent's protobuf, and bodies that are wrong."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from pilothouse.signals.receive.datadog_metrics import _Payload
from tests.running import RunningServer


def _until(server: RunningServer, query: str, least: int = 1, seconds: float = 60) -> list[Any]:
    deadline = time.monotonic() + seconds
    while True:
        found = server.get("/prometheus/api/v1/query", query=query)["data"]["result"]
        if len(found) >= least:
            return list(found)
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.1)


def test_the_python_client(server: RunningServer) -> None:
    import datadog

    datadog.initialize(api_key="any", app_key="any", api_host=f"{server.http}/datadog", mute=False)
    api: Any = datadog.api
    now = int(time.time())
    tags = ["service:shop", "version:2", "region:north"]
    api.Metric.send(metric="orders.open", points=[(now, 5)], tags=tags, host="h1", type="gauge")
    api.Metric.send(metric="orders", points=[(now - 10, 4), (now, 6)], tags=tags, type="count", interval=10)
    api.Distribution.send(distributions=[{"metric": "took", "points": [(now, [1.0, 2.0, 4.0])], "tags": tags}])
    (found,) = _until(server, "orders_open")
    assert found["value"][1] == "5"
    assert found["metric"] == {
        "__name__": "orders_open", "job": "shop", "service": "shop", "version": "2", "region": "north", "host": "h1",
        "otel_scope_name": "datadog",
    }  # fmt: skip
    (spread,) = _until(server, "histogram_sum(took)")
    assert float(spread["value"][1]) == 7
    (counted,) = _until(server, 'sum(max_over_time(orders_total{otel_scope_name="datadog"}[5m]))')
    assert counted["value"][1] == "10"


def test_version_two_and_its_protobuf(server: RunningServer) -> None:
    now = int(time.time())
    content = {
        "metric": "v2.json", "type": 3, "points": [{"timestamp": now, "value": 1.5}], "tags": ["a:b"],
        "resources": [{"type": "host", "name": "h2"}],
    }  # fmt: skip
    sent = httpx.post(f"{server.http}/datadog/api/v2/series", json={"series": [content]})
    assert (sent.status_code, sent.json()) == (202, {"errors": []})
    payload = _Payload()
    one = payload.series.add(metric="v2.protobuf", type=1, tags=["a:b"], interval=10)
    one.points.add(timestamp=now, value=8)
    one.resources.add(type="host", name="h3")
    headers = {"content-type": "application/x-protobuf"}
    sent = httpx.post(f"{server.http}/datadog/api/v2/series", content=payload.SerializeToString(), headers=headers)
    assert sent.status_code == 202
    assert _until(server, "v2_json")[0]["metric"]["host"] == "h2"
    assert _until(server, "v2_protobuf_total")[0]["metric"]["host"] == "h3"


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("v1/series", b"{", "the body is not JSON"),
        ("v1/series", b"[]", "a list of objects `series`"),
        ("v1/series", {"series": [{"points": []}]}, "series[0].metric is missing"),
        ("v1/series", {"series": [{"metric": "a", "points": [[1]]}]}, "series[0].points[0]: expected"),
        ("v1/series", {"series": [{"metric": "a", "points": [[1, "x"]]}]}, "'x' is not a number"),
        ("v1/series", {"series": [{"metric": "a", "type": "z"}]}, "series[0].type"),
        ("v1/series", {"series": [{"metric": "a", "points": [[1e9, 1]]}]}, "refused"),
        ("v2/series", {"series": [{"metric": "a", "type": [9]}]}, "series[0].type"),
        ("v1/distribution_points", {"series": [{"metric": "a", "points": [[1, 2]]}]}, "expected [TIMESTAMP, [VALUE"),
    ],
)
def test_wrong_bodies(server: RunningServer, path: str, body: Any, said: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = httpx.post(f"{server.http}/datadog/api/{path}", content=content)
    assert answer.status_code == 400
    assert said in answer.text
