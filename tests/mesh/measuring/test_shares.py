"""Measured shares against asked weights, from every mesh's own metric names, by the real PromQL evaluator."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from pilothouse.mesh.measuring import flows, shares
from pilothouse.mesh.measuring.intervals import wilson
from pilothouse.mesh.model import Backend, Configuration, HttpMatch, HTTPRouteGroup, Name, TrafficSplit
from tests.mesh.measuring import carried
from tests.mesh.measuring.carried import Carried

Sent = Callable[[Carried, str, int, int], None]
MESHES: dict[str, Sent] = {
    "istio": lambda to, server, requests, failed: carried.istio(to, "web", server, requests, failed),
    "linkerd": lambda to, server, requests, failed: carried.linkerd(to, "web", "checkout", server, requests, failed),
    "consul": lambda to, server, requests, failed: carried.consul(to, "web", server, requests, failed),
    "envoy": lambda to, server, requests, failed: carried.envoy(to, "web", server, requests, failed),
}


def divided(*splits: TrafficSplit) -> Configuration:
    made = Configuration()
    made.add(HTTPRouteGroup(Name("shop", "beta"), (HttpMatch("beta", "/beta"),)))
    for split in splits or (TrafficSplit(Name("shop", "s"), "checkout", (Backend("v1", 90), Backend("v2", 10))),):
        made.add(split)
    return made


@pytest.mark.parametrize("mesh", MESHES)
def test_a_split_that_is_honoured(mesh: str) -> None:
    seen = Carried()
    MESHES[mesh](seen, "v1", 905, 5)
    MESHES[mesh](seen, "v2", 95, 0)
    [found] = shares(divided(), seen.ask, 60)
    assert (found.state, found.requests, found.finding()) == ("honoured", 1000, None)
    first, second = found.backends
    assert (first.requests, first.failed, first.share) == (905, 5, 0.905)
    assert second.low < 0.1 < second.high


@pytest.mark.parametrize("mesh", MESHES)
def test_a_split_that_is_not_honoured_is_a_finding(mesh: str) -> None:
    seen = Carried()
    MESHES[mesh](seen, "v1", 500, 0)
    MESHES[mesh](seen, "v2", 500, 0)
    [found] = shares(divided(), seen.ask, 60, mesh)
    assert found.state == "not honoured"
    finding = found.finding()
    assert finding is not None
    assert finding.subject == "TrafficSplit shop/s"
    assert "v2 was to get 10.0% and got 50.0%" in finding.message


def test_the_interval_covers_the_true_share_as_often_as_it_says() -> None:
    chance = random.Random(7)
    for share, trials in ((0.01, 200), (0.5, 50), (0.97, 400)):
        covered = 0
        for _ in range(1000):
            low, high = wilson(sum(chance.random() < share for _ in range(trials)), trials, 0.95)
            covered += low <= share <= high
        assert 910 <= covered <= 990, (share, trials, covered)


def test_an_interval_at_the_ends() -> None:
    assert wilson(0, 0, 0.999) == (0.0, 1.0)
    assert wilson(0, 50, 0.999)[0] == 0.0
    assert wilson(50, 50, 0.999)[1] == 1.0


def test_few_or_no_requests_are_no_verdict() -> None:
    seen = Carried()
    assert shares(divided(), seen.ask, 60)[0].state == "no traffic"
    carried.istio(seen, "web", "v2", 5)
    [found] = shares(divided(), seen.ask, 60)
    assert (found.state, found.requests) == ("too little traffic", 5)
    assert all(backend.honoured is None for backend in found.backends)


def test_backends_that_two_splits_share_cannot_be_told_apart() -> None:
    plain = TrafficSplit(Name("shop", "s"), "checkout", (Backend("v1", 90), Backend("v2", 10)))
    some = TrafficSplit(Name("shop", "m"), "checkout", (Backend("v2", 1),), ("beta",))
    seen = Carried()
    carried.istio(seen, "web", "v2", 500)
    assert {found.state for found in shares(divided(plain, some), seen.ask, 60)} == {"cannot tell"}


def test_only_the_time_since_the_weights_were_set_counts() -> None:
    seen = Carried()
    labels = {"reporter": "source", "source_workload": "web", "source_workload_namespace": "shop",
              "destination_service_namespace": "shop", "response_code": "200"}  # fmt: skip
    # Long ago all went to v1; in the last ten seconds the new weights held.
    for server, times in (("v1", ((80, 0), (60, 0), (12, 5000), (10, 5000), (0, 5090))),
                          ("v2", ((80, 0), (60, 0), (12, 0), (10, 0), (0, 10)))):  # fmt: skip
        from pilothouse.signals.metrics.promql.labels import labels_of

        full = labels_of({"__name__": "istio_requests_total", "destination_service_name": server, **labels})
        for at, number in times:
            seen.storage.add(full, int((carried.NOW - at) * 1000), number)
    assert shares(divided(), seen.ask, 60)[0].state == "not honoured"
    [found] = shares(divided(), seen.ask, 60, held={Name("shop", "s"): 10.0})
    assert (found.seconds, found.requests, found.state) == (10, 100, "honoured")


def test_requests_to_a_backend_by_another_root_do_not_count_where_the_mesh_says_so() -> None:
    seen = Carried()
    carried.linkerd(seen, "web", "checkout", "v1", 90)
    carried.linkerd(seen, "web", "checkout", "v2", 10)
    carried.linkerd(seen, "job", "v2", "v2", 900)
    assert shares(divided(), seen.ask, 60)[0].requests == 100


@pytest.mark.parametrize(("mesh", "latency"), [("istio", 2.5), ("linkerd", 7.5), ("consul", 17.5), ("envoy", 2.5)])
def test_flows_have_counts_and_milliseconds(mesh: str, latency: float) -> None:
    seen = Carried()
    MESHES[mesh](seen, "v1", 100, 3)
    [flow] = flows(seen.ask, 60)
    assert (flow.mesh, flow.client.name, flow.server.name) == (mesh, "web", "v1")
    assert (flow.succeeded, flow.failed) == (97, 3)
    assert flow.latency[0.5] == pytest.approx(latency)
