"""The closed loop with a real Envoy: its own metrics, held against the weights that it was given."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from pilothouse.mesh.envoy.binary import EnvoyMissingError, find
from pilothouse.mesh.envoy.running import RunningMesh
from pilothouse.mesh.measuring import flows, shares
from pilothouse.mesh.measuring.asking import Ask, evaluated
from pilothouse.mesh.model import Backend, Configuration, Name, TrafficSplit
from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.scraping.exposition import Lines, labels_of_head
from tests.mesh.test_envoy import Backends, _mesh, _settled


@pytest.fixture(scope="module")
def backends() -> Iterator[Backends]:
    made = Backends(("v1", "v2", "own"))
    yield made
    made.close()


def scraped(storage: MemoryStorage, admin: str, at: float, requests: int) -> None:
    """Envoy's own exposition, read as the scraper reads it, at this time.

    Once all `requests` are in it: an answer may be with the client before Envoy has counted it.
    """
    deadline = time.monotonic() + 60
    while True:
        rows = [
            (labels_of_head(head), float(value))
            for head, value, _, _ in Lines(httpx.get(f"http://{admin}/stats/prometheus").content)
        ]
        counted = sum(
            value
            for labels, value in rows
            if labels["__name__"] == "envoy_cluster_upstream_rq" and "/" in labels.get("envoy_cluster_name", "")
        )
        if counted >= requests or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert counted == requests
    for labels, value in rows:
        storage.add(labels_of({"instance": admin, **labels}), int(at * 1000), value)


def test_what_envoy_counts_agrees_with_its_weights_and_not_with_others(backends: Backends) -> None:
    try:
        envoy = find()
    except EnvoyMissingError as error:
        pytest.skip(str(error))
    mesh, urls = _mesh(backends, secure=False)
    made, storage = Configuration(), MemoryStorage()
    made.add(TrafficSplit(Name("shop", "s"), "checkout", (Backend("v1", 3), Backend("v2", 1))))
    now = time.time()
    with RunningMesh(mesh, envoy) as running, httpx.Client(base_url=urls["web"]) as client:
        running.apply(made)
        running.start()
        _settled(running, mesh)
        admin = running.admin("web")
        # One of each first, so that the counters are there before they are counted from.
        for _ in range(40):
            client.get("/")
        scraped(storage, admin, now - 30, 40)
        for _ in range(600):
            client.get("/")
        scraped(storage, admin, now, 640)

    ask: Ask = lambda query: evaluated(storage, query, now)  # noqa: E731
    [found] = shares(made, ask, 25)
    assert (found.requests, found.state) == (600, "honoured"), found
    assert {(flow.client, flow.server) for flow in flows(ask, 25)} == {
        (Name("", "web"), Name("shop", "v1")), (Name("", "web"), Name("shop", "v2")),
    }  # fmt: skip
    assert all(flow.failed == 0 for flow in flows(ask, 25))
    made.add(TrafficSplit(Name("shop", "s"), "checkout", (Backend("v1", 1), Backend("v2", 3))))
    assert shares(made, ask, 25)[0].state == "not honoured"
