"""From the interface to the Gateway API: the same routing, nothing of ours left on it, and every loss told."""

from __future__ import annotations

import os
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings

from pilothouse.kube import parse
from pilothouse.mesh.evaluating import HttpRequest, route
from pilothouse.mesh.migrating import ACCESS, migrate
from pilothouse.mesh.model import Configuration, Name
from pilothouse.mesh.reading import read_objects
from tests.mesh import strategies
from tests.mesh.meanings import gateway_api
from tests.mesh.test_api import SHOP

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))


def shop() -> Configuration:
    return read_objects(parse(SHOP, "shop.yaml").objects).configuration


def test_objects_are_the_users_own() -> None:
    made = migrate(shop())
    [found] = made.objects
    assert found["metadata"] == {"name": "checkout-80", "namespace": "shop"}
    assert dict(made.fates) == {
        "TrafficSplit shop/checkout": "HTTPRoute checkout-80", "TrafficTarget shop/web-to-checkout": "nothing"
    }  # fmt: skip
    assert [(finding.code, finding.subject) for finding in made.findings] == [
        ("no-access", "TrafficTarget shop/web-to-checkout")
    ]
    plan = made.plan()
    assert "| TrafficSplit shop/checkout | HTTPRoute checkout-80 |" in plan
    assert "not enforced any more" in plan


@pytest.mark.parametrize("access", ACCESS)
def test_access_becomes_the_meshs_own(access: str) -> None:
    made = migrate(shop(), access)
    assert "AuthorizationPolicy" in {one["kind"] for one in made.objects}
    assert not [finding for finding in made.findings if finding.level == "loss"]
    assert "AuthorizationPolicy" in dict(made.fates)["TrafficTarget shop/web-to-checkout"]
    assert all(set(one["metadata"]) == {"name", "namespace"} for one in made.objects)


@settings(max_examples=200 if THOROUGH else 15, deadline=None, derandomize=True)
@given(strategies.configurations(), strategies.requests)
def test_routes_mean_what_the_splits_meant(configuration: Configuration, http: HttpRequest) -> None:
    made = migrate(configuration)
    assume(not any(finding.code == "too-many" for finding in made.findings))
    found = gateway_api.routed(made.objects, "checkout", 80, http)
    wanted = {id.name: share for id, share in route(configuration, Name("shop", "checkout"), http, 80).backends}
    assert found is None or {name: Fraction(share) for name, share in found.items()} == wanted
