"""Targets learned from spans in the store: they allow every observed call, and nothing beside."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pilothouse.kube import parse
from pilothouse.mesh.evaluating import Call, HttpRequest, Identity, access
from pilothouse.mesh.learning import Observation, Party, observe, propose
from pilothouse.mesh.learning.routes import of_template, route_regex
from pilothouse.mesh.model import Configuration, HTTPRouteGroup, Name, TrafficTarget
from pilothouse.mesh.reading import read_objects
from pilothouse.mesh.regexes import path_matches
from pilothouse.mesh.writing import written
from tests.mesh.test_api import SHOP
from tests.signals.receive.conftest import Door
from tests.signals.traces.shop_spans import ALL, CLIENT, SERVER, of, span

WEB = {"k8s.namespace.name": "shop", "k8s.deployment.name": "web"}
CHECKOUT = {"k8s.namespace.name": "shop", "k8s.deployment.name": "checkout-v1"}


@pytest.fixture(scope="module")
def observation(tmp_path_factory: pytest.TempPathFactory) -> Observation:
    """A web that calls a checkout on two routes, a job that calls it once by gRPC, and users who send no spans."""
    door = Door(tmp_path_factory.mktemp("traces"))
    web, checkout, job = [], [], []
    for trace in range(1, 10):
        web.append(
            span(trace, 1, 0, "GET /", SERVER, 0, 50, attributes={"http.request.method": "GET", "http.route": "/"})
        )
        web.append(span(trace, 2, 1, "call", CLIENT, 1, 40))
        asked = {"http.request.method": "POST", "http.route": "/api/carts/{id}", "url.path": f"/api/carts/{trace}"}
        checkout.append(span(trace, 3, 2, "POST", SERVER, 2, 30, attributes=asked))
        web.append(span(trace, 4, 1, "call", CLIENT, 41, 5))
        old = {"http.method": "GET", "http.target": f"/files/{trace}0001?x=1"}
        checkout.append(span(trace, 5, 4, "GET", SERVER, 42, 3, attributes=old))
    job.append(span(9, 6, 0, "run", CLIENT, 0, 9))
    rpc = {"rpc.system": "grpc", "rpc.service": "shop.Checkout", "rpc.method": "Close"}
    checkout.append(span(9, 7, 6, "Close", SERVER, 1, 5, attributes=rpc))
    sent = [of("web", web, **WEB), of("checkout", checkout, **CHECKOUT), of("closing", job)]
    door.send("traces", ExportTraceServiceRequest(resource_spans=sent))
    found = observe(door.engine, ALL)
    door.close()
    return Observation.of_json(found.as_json())


def shop() -> Configuration:
    """The manifests without targets: what a user has who begins."""
    found = read_objects(parse(SHOP, "shop.yaml").objects).configuration
    found.targets.clear()
    found.groups.clear()
    return found


def calls(method: str, path: str, source: Name = Name("shop", "web")) -> Call:
    return Call(Identity(source), Identity(Name("shop", "checkout")), 8080, HttpRequest(method, path))


def test_what_was_seen(observation: Observation) -> None:
    seen = {(call.client.service, call.method, call.route): call.calls for call in observation.calls}
    assert seen["web", "POST", "/api/carts/{id}"] == 9
    assert seen["closing", "POST", "/shop.Checkout/Close"] == 1
    assert sum(call.calls for call in observation.calls if call.method == "GET") == 9
    assert observation.strangers == ((Party("web", "shop", "web"), 9),)


def test_the_targets_allow_what_was_seen_and_no_more(observation: Observation) -> None:
    configuration = shop()
    proposal = propose(observation, configuration)
    # Through the manifests and back, as a user applies them.
    text = [written(resource) for resource in proposal.resources]
    import json

    reading = read_objects(parse("\n---\n".join(map(json.dumps, text)), "learned.yaml").objects)
    assert not [finding for finding in reading.findings if finding.level == "error"]
    learned = reading.configuration
    closing = Name("default", "closing")
    for allowed in (calls("POST", "/api/carts/7"), calls("GET", "/files/990001"),
                    calls("POST", "/shop.Checkout/Close", closing)):  # fmt: skip
        assert access(learned, allowed).allowed, allowed
    for denied in (calls("GET", "/api/carts/7"), calls("POST", "/api/carts/7/items"), calls("POST", "/api/carts"),
                   calls("POST", "/shop.Checkout/Close"), calls("POST", "/api/carts/7", closing),
                   calls("GET", "/", Name("shop", "db"))):  # fmt: skip
        assert not access(learned, denied).allowed, denied
    [group] = [one for one in proposal.resources if isinstance(one, HTTPRouteGroup)]
    assert group.id == Name("shop", "learned-checkout")
    assert len([one for one in proposal.resources if isinstance(one, TrafficTarget)]) == 2


def test_what_may_be_missing_is_said(observation: Observation) -> None:
    said = "\n".join(propose(observation, shop()).warnings)
    assert "calls of 8 minutes only were seen" in said
    assert "9 calls to web came from who sends no spans" in said
    assert "closing is not known" in said
    assert "fewer than 10 times" in said
    assert any("shop/web -> shop/checkout: 18 calls" in line for line in propose(observation, shop()).seen)
    assert propose(Observation(()), shop()).warnings == [
        "no calls between services were seen: do both sides send spans?"
    ]


@pytest.mark.parametrize(
    ("template", "inside", "outside"),
    [
        ("/orders/{id}", "/orders/7", "/orders/7/items"),
        ("/orders/:id/items", "/orders/7/items", "/orders/items"),
        ("/users/<int:id>", "/users/7", "/users/"),
        ("/static/*", "/static/a/b.css", "/statics"),
        ("/files/{path:path}", "/files/a/b", "/file"),
        ("/a.b", "/a.b", "/axb"),
        ("/shop/[slug]", "/shop/x", "/shop/x/y"),
    ],
)
def test_templates(template: str, inside: str, outside: str) -> None:
    regex = of_template(template)
    assert path_matches(regex, inside)
    assert not path_matches(regex, outside)


def test_a_router_below_a_prefix_tells_only_its_own_part() -> None:
    assert route_regex("/items/{id}", "/api/v1/items/7") == "/api/v1/items/[^/]+$"
