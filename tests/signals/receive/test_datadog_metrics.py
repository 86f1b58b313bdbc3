"""Datadog's metric intake: its real Python client, the agent's protobuf, and bodies that are wrong."""

from __future__ import annotations

import base64
import json
import time
import zlib
from typing import Any

import httpx
import pytest

from pilothouse.signals.receive.datadog_metrics import _Payload
from pilothouse.signals.receive.datadog_sketches import _Payload as _Sketches
from pilothouse.signals.receive.metric_requests import Distribution
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


# Written by the agent's own code (its `quantile` package and `agent-payload` 5) of -2, 0, 0.001, 0.25, 0.25, 1, 3.5
# three times and 1500, for host h4 and the tags service:shop and version:2.
_SKETCH = (
    "CnIKDWNoZWNrb3V0LnRvb2sSAmg0IgxzZXJ2aWNlOnNob3AiCXZlcnNpb246MjpECID3xNUGEAoZAAAAAAAAAMAhAAAAAABwl0ApWBe30QDgYkAxL90k"
    "BgGYl0A6Dc0VAPgNwhP0FJYWpBxCBwEBAQIBAwESAA=="
)


def test_sketches_of_the_agent(server: RunningServer) -> None:
    payload = _Sketches.FromString(base64.b64decode(_SKETCH))
    payload.sketches[0].dogsketches[0].ts = int(time.time())
    headers = {"content-type": "application/x-protobuf", "content-encoding": "deflate"}
    body = zlib.compress(payload.SerializeToString())
    sent = httpx.post(f"{server.http}/datadog/api/beta/sketches", content=body, headers=headers)
    assert sent.status_code == 202, sent.text
    (series,) = _until(server, "checkout_took")
    assert (series["metric"]["host"], series["metric"]["job"]) == ("h4", "shop")
    told = series["histogram"][1]
    assert told["count"] == "10"
    assert float(told["sum"]) == pytest.approx(1510.001)
    for value, count in ((-2, 1), (0, 1), (0.001, 1), (0.25, 2), (1, 1), (3.5, 3), (1500, 1)):
        # A sketch moves a value by up to 0.8 %, which may be into the next bucket.
        near = abs(value) / 100
        found = [int(one[3]) for one in told["buckets"] if float(one[1]) - near <= value <= float(one[2]) + near]
        assert sum(found) == count, value
    (median,) = _until(server, "histogram_quantile(0.75, checkout_took)")
    assert float(median["value"][1]) == pytest.approx(3.5, rel=0.02)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": [1, 2]}, "1 keys k and 2 counts n"),
        ({"k": [40_000]}, "there is no key 40000"),
        ({"sum": float("inf")}, "must be finite"),
        ({"ts": -1}, "no time in seconds"),
        ({"ts": 5}, "refused"),
    ],
)
def test_sketches_that_are_wrong(change: dict[str, Any], said: str, server: RunningServer) -> None:
    payload = _Sketches()
    fields = {"ts": int(time.time()), "cnt": 1, "k": [1400], "n": [1], **change}
    payload.sketches.add(metric="wrong").dogsketches.add(**fields)
    answer = httpx.post(f"{server.http}/datadog/api/beta/sketches", content=payload.SerializeToString())
    assert answer.status_code == 400
    assert said in answer.text


def test_a_sketch_that_reaches_far_gets_wider_buckets() -> None:
    found = Distribution(scale=6)
    for place in range(-30, 30):
        found.add(10.0**place)
    made = found.narrowed()
    assert made.scale == 2
    assert sum(made.positive.values()) + made.zeros == 60
    assert max(made.positive) - min(made.positive) < 640
    one = Distribution(scale=made.scale)
    one.add(1e5)
    assert one.positive.keys() <= made.positive.keys()


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
        ("v1/series", {"series": [{"metric": "a", "points": [[-5, 1]]}]}, "a time of -5 seconds"),
        ("v1/series", {"series": [{"metric": "a", "points": [[1e30, 1]]}]}, "cannot be kept"),
        ("v1/series", {"series": [{"metric": "a", "type": "count", "points": [[5, 1]]}]}, "refused"),
        ("v2/series", {"series": [{"metric": "a", "type": [9]}]}, "series[0].type"),
        ("beta/sketches", b"\xff\xff", "not a datadog.agentpayload.SketchPayload"),
        ("v1/distribution_points", {"series": [{"metric": "a", "points": [[1, 2]]}]}, "expected [TIMESTAMP, [VALUE"),
    ],
)
def test_wrong_bodies(server: RunningServer, path: str, body: Any, said: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = httpx.post(f"{server.http}/datadog/api/{path}", content=content)
    assert answer.status_code == 400
    assert said in answer.text
