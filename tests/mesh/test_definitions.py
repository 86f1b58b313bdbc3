"""What is compiled fits the meshes' published definitions, as an API server would hold it against them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings

from pilothouse.mesh.compiling import TARGETS, compile_to
from pilothouse.mesh.model import (
    METHODS,
    Backend,
    Configuration,
    HttpMatch,
    HTTPRouteGroup,
    IdentityRef,
    Name,
    Rule,
    Service,
    ServicePort,
    TrafficSplit,
    TrafficTarget,
    Workload,
)
from tests.mesh import strategies

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))

FILE = Path(__file__).with_name("definitions.yaml")
# Gateway API: "the total number of matches across all rules in a route must be less than 128" (its rule says <= 128).
MOST_MATCHES = 128


@cache
def validators() -> dict[str, Any]:
    content = yaml.safe_load(FILE.read_text())
    return {
        kind: jsonschema_rs.validator_for({"$defs": content["$defs"], **spec})
        for kind, spec in content["specs"].items()
    }


def problems(found: dict[str, Any]) -> list[str]:
    """What an API server would refuse or drop."""
    name = f"{found['apiVersion']} {found['kind']}"
    said = [f"{name} {'/'.join(map(str, error.instance_path))}: {error.message}"
            for error in validators()[name].iter_errors(found["spec"])]  # fmt: skip
    rules = found["spec"].get("rules", ())
    if name.startswith("gateway") and sum(len(rule.get("matches", ())) for rule in rules) > MOST_MATCHES:
        said.append(f"{name}: too many matches")
    if len(found["metadata"]["name"]) > 253:
        said.append(f"{name}: the name is too long")
    return said


def assert_fits(target: str, configuration: Configuration) -> list[dict[str, Any]]:
    objects = compile_to(target, configuration).objects
    found = [problem for one in objects for problem in problems(one)]
    assert not found, found
    return objects


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_is_compiled_fits(target: str) -> None:
    seen: set[str] = set()

    @settings(max_examples=200 if THOROUGH else 10, deadline=None, derandomize=True)
    @given(strategies.configurations())
    def check(configuration: Configuration) -> None:
        seen.update(one["kind"] for one in assert_fits(target, configuration))

    check()
    assert seen == {kind.rpartition(" ")[2] for kind in validators() if kind.rpartition(" ")[2] in seen}
    assert len(seen) >= {"istio": 3, "linkerd": 4, "consul": 3, "gateway-api": 1}[target]


def big(
    matches: int, methods: tuple[str, ...], backends: int = 2, path: str = "/api/{}", length: int = 0
) -> Configuration:
    """One split and one target with a group of this size."""
    made = Configuration()
    port = ServicePort(80, 8080, "http", "http")
    labels = (("app", "checkout"),)
    made.services[Name("shop", "checkout")] = Service(Name("shop", "checkout"), (port,), labels, ("checkout",))
    made.workloads[Name("shop", "checkout")] = Workload(Name("shop", "checkout"), labels, "checkout")
    group = tuple(
        HttpMatch(f"m{number}", path.format(number) + "x" * length + "$", methods) for number in range(matches)
    )
    made.add(HTTPRouteGroup(Name("shop", "g"), group))
    names = tuple(Backend(f"v{number}", 1) for number in range(backends))
    made.add(TrafficSplit(Name("shop", "s"), "checkout", names, ("g",)))
    who = (IdentityRef("ServiceAccount", Name("shop", "web")),)
    to = IdentityRef("ServiceAccount", Name("shop", "checkout"))
    made.add(TrafficTarget(Name("shop", "t"), to, who, (Rule("HTTPRouteGroup", "g"),)))
    return made


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "configuration",
    [
        big(1, METHODS),
        big(3, METHODS),
        big(150, ("GET",)),
        big(20, METHODS),
        big(1, (), backends=20),
        big(1, (), length=1100),
    ],
    ids=[
        "all methods",
        "three of all methods",
        "many matches",
        "matches times methods",
        "many backends",
        "a long path",
    ],
)
def test_bounds_are_kept_or_the_loss_is_told(target: str, configuration: Configuration) -> None:
    assert_fits(target, configuration)


def test_a_route_that_is_too_big_is_a_loss() -> None:
    for configuration in (big(150, ("GET",)), big(1, (), backends=20), big(1, (), length=1100)):
        findings = compile_to("gateway-api", configuration).findings
        assert [f for f in findings if f.level == "loss" and f.subject == "TrafficSplit shop/s"], findings


def test_weights_that_istio_cannot_add_up_are_scaled() -> None:
    made = Configuration()
    made.services[Name("shop", "checkout")] = Service(
        Name("shop", "checkout"), (ServicePort(80, 8080, "http", "http"),)
    )
    made.add(
        TrafficSplit(Name("shop", "s"), "checkout", (Backend("v1", 2**31), Backend("v2", 2**33), Backend("v3", 1)))
    )
    [virtual] = assert_fits("istio", made)
    weights = [route["weight"] for route in virtual["spec"]["http"][0]["route"]]
    assert sum(weights) < 2**31
    # Within a millionth, and none of them nothing.
    assert [round(weight, -2) for weight in weights] == [200_000, 800_000, 0]
    assert weights[2] == 1


def test_what_does_not_fit_is_found() -> None:
    made = next(one for one in compile_to("istio", big(1, ())).objects if one["kind"] == "VirtualService")
    made["spec"]["http"][0]["wieght"] = 1
    assert "wieght" in problems(made)[0]
