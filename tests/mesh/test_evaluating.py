"""The answers to what the interface leaves open (`docs/explanation/smi-ambiguities.md`), one by one.

Every mesh's compiler is held against the evaluator elsewhere; here the evaluator itself is.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from pilothouse.kube import parse
from pilothouse.mesh.evaluating import Call, HttpRequest, Identity, Route, access, route
from pilothouse.mesh.model import Configuration, Name
from pilothouse.mesh.reading import read_objects

CHECKOUT, WEB = Name("shop", "checkout"), Identity(Name("shop", "web"))
GROUP = """apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: g, namespace: shop}
spec:
  matches:
  - {name: api, pathRegex: /api, methods: [GET]}
  - {name: exact, pathRegex: /cart$}
  - {name: lane, headers: {x-lane: beta}}
---
"""
PORTS = """apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: p8080, namespace: shop}
spec: {matches: {ports: [8080]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: any, namespace: shop}
spec: {matches: {ports: []}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: UDPRoute
metadata: {name: dns, namespace: shop}
spec: {matches: {ports: [53]}}
---
"""
API = "{kind: HTTPRouteGroup, name: g, matches: [api]}"


def target(*rules: str, name: str = "t", sources: str = "[{kind: ServiceAccount, name: web}]") -> str:
    return f"""apiVersion: access.smi-spec.io/v1alpha4
kind: TrafficTarget
metadata: {{name: {name}, namespace: shop}}
spec:
  destination: {{kind: ServiceAccount, name: checkout}}
  sources: {sources}
  rules: [{", ".join(rules)}]
---
"""


def split(backends: str, matches: str = "", name: str = "s", day: int = 1) -> str:
    groups = f", matches: [{{kind: HTTPRouteGroup, name: {matches}}}]" if matches else ""
    return f"""apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {{name: {name}, namespace: shop, creationTimestamp: "2026-01-0{day}T00:00:00Z"}}
spec: {{service: checkout, backends: [{backends}]{groups}}}
---
"""


def service(name: str, port: int = 80) -> str:
    return f"""apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{ports: [{{port: {port}, targetPort: 8080, name: http}}]}}
---
"""


def read(text: str) -> Configuration:
    return read_objects(parse(text, "mesh.yaml").objects).configuration


def allowed(
    text: str, path: str = "/", who: Identity = WEB, port: int = 8080, protocol: str = "tcp", **http: str
) -> bool:
    """Whether a GET is let in; `http` are headers, by names with underscores."""
    headers = {name.replace("_", "-"): value for name, value in http.items() if name != "method"}
    request = HttpRequest(http.get("method", "GET"), path, headers)
    call = Call(who, Identity(CHECKOUT), port, request if protocol == "tcp" else None, protocol)
    return access(read(GROUP + PORTS + text), call).allowed


def went(text: str, path: str = "/", port: int = 80) -> dict[str, Fraction]:
    found: Route = route(read(GROUP + text), CHECKOUT, HttpRequest("GET", path), port)
    return {id.name: share for id, share in found.backends}


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [("/api", True), ("/api/v1", True), ("/apix", True), ("/v1/api", False), ("/api?q=/cart", True), ("/", False)],
)
def test_an_expression_is_anchored_at_the_start_and_sees_no_query(path: str, is_allowed: bool) -> None:
    assert allowed(target(API), path) is is_allowed


def test_an_end_is_an_end_also_before_a_query() -> None:
    rule = target("{kind: HTTPRouteGroup, name: g, matches: [exact]}")
    assert allowed(rule, "/cart?id=1")
    assert not allowed(rule, "/cart/")


def test_a_method_that_is_not_named_is_denied() -> None:
    assert not allowed(target(API), "/api", method="POST")


@pytest.mark.parametrize(("headers", "is_allowed"), [({"x_lane": "beta"}, True), ({"X_Lane": "beta"}, True),
                                                     ({"x_lane": "beta-7"}, False), ({}, False)])  # fmt: skip
def test_a_header_matches_as_a_whole_and_never_when_absent(headers: dict[str, str], is_allowed: bool) -> None:
    assert allowed(target("{kind: HTTPRouteGroup, name: g, matches: [lane]}"), **headers) is is_allowed


def test_kinds_narrow_each_other_and_rules_of_a_kind_add_up() -> None:
    both = target(API, "{kind: TCPRoute, name: p8080}")
    assert allowed(both, "/api")
    assert not allowed(both, "/api", port=9090)
    assert not allowed(both, "/other")
    assert allowed(target(API, "{kind: HTTPRouteGroup, name: g, matches: [exact]}"), "/cart")


def test_a_port_route_alone_opens_all_that_is_spoken_there() -> None:
    assert allowed(target("{kind: TCPRoute, name: p8080}"), "/anything")
    assert allowed(target("{kind: TCPRoute, name: any}"), "/anything", port=1)


def test_a_port_is_the_pods_and_not_the_services() -> None:
    assert not allowed(service("checkout") + target("{kind: TCPRoute, name: p8080}"), port=80)


def test_udp_is_allowed_by_a_udp_route_alone() -> None:
    assert allowed(target("{kind: UDPRoute, name: dns}"), port=53, protocol="udp")
    assert not allowed(target("{kind: TCPRoute, name: any}"), port=53, protocol="udp")
    assert not allowed(target("{kind: UDPRoute, name: dns}"), port=53)


def test_matches_left_out_are_all_of_the_group() -> None:
    for rule in ("{kind: HTTPRouteGroup, name: g}", "{kind: HTTPRouteGroup, name: g, matches: []}"):
        assert allowed(target(rule), "/cart")


def test_what_is_missing_allows_nothing() -> None:
    for rule in ("{kind: HTTPRouteGroup, name: gone}", "{kind: HTTPRouteGroup, name: g, matches: [gone]}",
                 "{kind: TCPRoute, name: gone}"):  # fmt: skip
        assert not allowed(target(rule), "/api")
    assert not allowed(target(API, sources="[{kind: IdentityBinding, name: gone}]"), "/api")


def test_no_sources_are_nobody_and_not_everybody() -> None:
    assert not allowed(target(API, sources="[]"), "/api")


def test_a_source_without_a_namespace_is_of_the_targets() -> None:
    assert allowed(target(API), "/api")
    assert not allowed(target(API), "/api", who=Identity(Name("jobs", "web")))
    assert not allowed(target(API), "/api", who=Identity(Name("shop", "web"), spiffe="spiffe://evil/ns/shop/sa/web"))


def test_without_a_target_nobody_gets_in() -> None:
    assert not allowed("", "/api")


def test_targets_add_up_whatever_their_order() -> None:
    first, second = target(API, name="a"), target("{kind: HTTPRouteGroup, name: g, matches: [exact]}", name="z")
    for text in (first + second, second + first):
        assert allowed(text, "/api")
        assert allowed(text, "/cart")


V1, V2 = "{service: v1, weight: 1}", "{service: v2, weight: 3}"
BOTH = service("checkout") + service("v1") + service("v2")


def test_weights_are_relative_and_a_zero_is_nothing() -> None:
    assert went(BOTH + split(f"{V1}, {V2}")) == {"v1": Fraction(1, 4), "v2": Fraction(3, 4)}
    assert went(BOTH + split(f"{V1}, {{service: v2, weight: 0}}")) == {"v1": Fraction(1)}


def test_what_no_match_takes_goes_to_the_service_itself() -> None:
    text = BOTH + split(V2, "g")
    assert went(text, "/api") == {"v2": Fraction(1)}
    assert went(text, "/other") == {"checkout": Fraction(1)}


def test_splits_with_matches_are_asked_before_the_one_without_and_the_oldest_of_those_counts() -> None:
    plain, younger = split(V1, name="plain"), split("{service: v3, weight: 1}", name="younger", day=2)
    for text in (plain + younger + split(V2, "g", "matched", 3), split(V2, "g", "matched", 3) + younger + plain):
        assert went(BOTH + text, "/api") == {"v2": Fraction(1)}
        assert went(BOTH + text, "/other") == {"v1": Fraction(1)}


def test_a_backend_without_the_port_is_left_out_and_one_that_is_not_there_keeps_its_share() -> None:
    apart = service("checkout") + service("v1") + service("v2", 81)
    assert went(apart + split(f"{V1}, {V2}")) == {"v1": Fraction(1)}
    assert went(service("checkout") + service("v1") + split(f"{V1}, {V2}"))["v2"] == Fraction(3, 4)


def test_splits_do_not_nest_and_may_name_themselves() -> None:
    nested = split("{service: checkout, weight: 1}, " + V2)
    assert went(BOTH + nested) == {"checkout": Fraction(1, 4), "v2": Fraction(3, 4)}


def test_matches_do_not_apply_to_a_connection() -> None:
    configuration = read(GROUP + BOTH + split(V2, "g"))
    assert route(configuration, CHECKOUT, None, 80).backends == ((CHECKOUT, Fraction(1)),)
