"""What is compiled means what the reference evaluator says, or a loss is told, and then less is allowed, never more."""

from __future__ import annotations

import os
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pilothouse.mesh.compiling import TARGETS, compile_to
from pilothouse.mesh.compiling.consul import percentages
from pilothouse.mesh.compiling.ranking import ranked
from pilothouse.mesh.compiling.routing import Branch
from pilothouse.mesh.evaluating import Call, HttpRequest, access, route
from pilothouse.mesh.globbing import path_globs, value_globs
from pilothouse.mesh.model import (
    Backend,
    Configuration,
    HttpMatch,
    HTTPRouteGroup,
    Name,
    Service,
    ServicePort,
    TrafficSplit,
)
from tests.mesh import strategies
from tests.mesh.meanings import consul, gateway_api, istio, linkerd

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))
EXAMPLES = settings(max_examples=400 if THOROUGH else 12, deadline=None)
CHECKOUT = Name("shop", "checkout")


def _expected(configuration: Configuration, http: HttpRequest) -> dict[str, Fraction]:
    return {name.name: share for name, share in route(configuration, CHECKOUT, http, port=80).backends}


@EXAMPLES
@given(strategies.configurations(), strategies.requests)
def test_istio_routes_as_the_evaluator(configuration: Configuration, http: HttpRequest) -> None:
    found = istio.routed(compile_to("istio", configuration).objects, "checkout.shop.svc.cluster.local", 80, http)
    if found is None:
        assert all(not split.matches or "missing" in split.matches for split in configuration.splits.values())
    else:
        assert {host.partition(".")[0]: share for host, share in found.items()} == _expected(configuration, http)


@pytest.mark.parametrize(("target", "meaning"), [("gateway-api", gateway_api), ("linkerd", linkerd)])
def test_routes_of_the_gateway_api_are_the_evaluators(target: str, meaning: object) -> None:
    @EXAMPLES
    @given(strategies.configurations(), strategies.requests)
    def check(configuration: Configuration, http: HttpRequest) -> None:
        compiled = compile_to(target, configuration)
        assume(
            not any(finding.code in ("too-many", "order") and finding.level == "loss" for finding in compiled.findings)
        )
        found = meaning.routed(compiled.objects, "checkout", 80, http)  # type: ignore[attr-defined]
        assert found is None or found == _expected(configuration, http)

    check()


@EXAMPLES
@given(strategies.configurations(), strategies.requests)
def test_consul_routes_as_the_evaluator_within_its_grain(configuration: Configuration, http: HttpRequest) -> None:
    compiled = compile_to("consul", configuration)
    assume(not any(finding.code == "no-backend" for finding in compiled.findings))
    found, expected = consul.routed(compiled.objects, "checkout", http), _expected(configuration, http)
    assert found.keys() == expected.keys()
    assert all(abs(found[name] - expected[name]) <= Fraction(1, 10_000) for name in found)


@pytest.mark.parametrize(("target", "meaning"), [("istio", istio), ("linkerd", linkerd), ("consul", consul)])
def test_access_is_never_wider_and_equal_where_no_loss_is_told(target: str, meaning: object) -> None:
    seen = {"equal": 0}

    # To draw and compile a configuration costs more than to ask it something.
    @settings(max_examples=600 if THOROUGH else 60, deadline=None, derandomize=True)
    @given(strategies.configurations(), st.lists(strategies.calls, min_size=2, max_size=5))
    def check(configuration: Configuration, calls: list[Call]) -> None:
        assume(configuration.targets)
        # Consul has one namespace; an account of the same name elsewhere is the same service there.
        calls = [call for call in calls if target != "consul" or call.source.account.namespace == "shop"]
        compiled = compile_to(target, configuration)
        subjects = {f"TrafficTarget {target.id}" for target in configuration.targets.values()}
        losses = [found for found in compiled.findings if found.level == "loss" and found.subject in subjects]
        for call in calls:
            allowed = meaning.allows(compiled.objects, call)  # type: ignore[attr-defined]
            expected = access(configuration, call).allowed
            assert expected or not allowed, f"{target} allows what the interface denies"
            if expected and not allowed:
                assert losses, f"{target} denies what the interface allows and does not say so"
            seen["equal"] += expected and allowed

    check()
    assert seen["equal"] > 0


@pytest.mark.parametrize("target", TARGETS)
def test_compiling_is_deterministic_and_owned(target: str) -> None:
    configuration = Configuration()
    configuration.add(TrafficSplit(Name("shop", "s"), "checkout", (Backend("a", 1), Backend("b", 2))))
    port = ServicePort(80, 8080, "http", "http")
    configuration.services[CHECKOUT] = Service(CHECKOUT, (port,))
    first, second = (compile_to(target, configuration).objects for _ in range(2))
    assert first == second
    assert first
    for found in first:
        assert found["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "pilothouse"}
        assert found["metadata"]["annotations"]["pilothouse.io/from"]


def test_a_backend_without_the_port_gets_nothing_and_it_is_said() -> None:
    configuration = Configuration()
    configuration.add(TrafficSplit(Name("shop", "s"), "checkout", (Backend("a", 1), Backend("b", 3))))
    for name, port in (("checkout", 80), ("a", 80), ("b", 81)):
        id = Name("shop", name)
        configuration.services[id] = Service(id, (ServicePort(port, port),))
    compiled = compile_to("istio", configuration)
    assert [finding.code for finding in compiled.findings] == ["no-such-port"]
    [virtual] = compiled.objects
    assert [r["destination"]["host"].partition(".")[0] for r in virtual["spec"]["http"][0]["route"]] == ["a"]


def test_in_consul_a_backend_that_is_divided_too_answers_itself() -> None:
    configuration = _two(HttpMatch("a", "/a"), HttpMatch("b", "/b"))
    # One root is another's backend, and its own under a match.
    configuration.add(TrafficSplit(Name("shop", "c"), "checkout", (Backend("checkout", 1), Backend("x", 1))))
    configuration.add(TrafficSplit(Name("shop", "d"), "front", (Backend("checkout", 1), Backend("front-v2", 1))))
    configuration.add(TrafficSplit(Name("shop", "a"), "checkout", (Backend("checkout", 1),), ("a",)))
    objects = compile_to("consul", configuration).objects
    for service, path in (("front", "/"), ("checkout", "/a"), ("checkout", "/")):
        http = HttpRequest("GET", path)
        asked = route(configuration, Name("shop", service), http, port=80).backends
        assert consul.routed(objects, service, http) == {name.name: share for name, share in asked}
    [resolver] = [one for one in objects if one["kind"] == "ServiceResolver"]
    assert resolver["spec"] == {"redirect": {"service": "checkout"}}


@pytest.mark.parametrize(
    ("pattern", "globs"),
    [
        (".*", ("*",)),
        # Istio's `*` also takes a header that is there and empty; `{*}` means something in paths only.
        (".+", None),
        ("/[^/]+/b", None),
        ("a|b.*|.*c", ("a", "b*", "*c")),
    ],
)
def test_globs_of_header_values(pattern: str, globs: tuple[str, ...] | None) -> None:
    assert value_globs(pattern) == globs


@pytest.mark.parametrize(
    ("pattern", "globs"),
    [("/a/[^/]+/b$", ("/a/{*}/b",)), ("/a=b/[^/]+$", None), ("//[^/]+$", None), (".+", ("*",)), ("/a", ("/a*",))],
)
def test_globs_of_paths(pattern: str, globs: tuple[str, ...] | None) -> None:
    assert path_globs(pattern) == globs


def test_percentages_sum_to_a_hundred() -> None:
    assert percentages([1, 1, 1]) == [33.34, 33.33, 33.33]
    assert percentages([1, 999]) == [0.1, 99.9]
    assert percentages([1, 1, 1, 0])[3] == 0


def _two(first: HttpMatch, second: HttpMatch) -> Configuration:
    """Two splits with a match each; the first is asked first."""
    configuration = Configuration()
    for name, match in (("a", first), ("b", second)):
        configuration.add(HTTPRouteGroup(Name("shop", name), (match,)))
        configuration.add(TrafficSplit(Name("shop", name), "checkout", (Backend(name, 1),), (name,)))
    configuration.services[CHECKOUT] = Service(CHECKOUT, (ServicePort(80, 8080, "http", "http"),))
    return configuration


@pytest.mark.parametrize(
    ("first", "second", "http"),
    [
        # A header counts before a path in the interface; in Linkerd a path would, and a method before a header.
        (HttpMatch("a", headers=(("x", "1"),)), HttpMatch("b", "/api"), HttpRequest("GET", "/api", {"x": "1"})),
        (
            HttpMatch("a", headers=(("x", "1"),)),
            HttpMatch("b", "/api", ("GET",)),
            HttpRequest("GET", "/api", {"x": "1"}),
        ),
    ],
)
def test_linkerd_takes_the_branch_that_the_interface_takes(
    first: HttpMatch, second: HttpMatch, http: HttpRequest
) -> None:
    configuration = _two(first, second)
    compiled = compile_to("linkerd", configuration)
    assert not compiled.findings
    assert linkerd.routed(compiled.objects, "checkout", 80, http) == {"a": Fraction(1)}
    assert _expected(configuration, http) == {"a": Fraction(1)}


def test_what_linkerd_would_take_first_is_left_out_and_said() -> None:
    plain, asking = HttpMatch("plain", "/api"), HttpMatch("asking", "/api", headers=(("x", "1"),))
    branches = (Branch((plain,), (("a", 1),), "A"), Branch((asking,), (("b", 1),), "B"), Branch((), (("c", 1),), ""))
    said: list[str] = []
    found = ranked(branches, lambda branch, why: said.append(f"{branch.source}: {why}"))
    assert [branch.source for branch in found] == ["A", ""]
    assert said == ["B: match asking would count before plain in Linkerd, since it asks for more"]
