"""Every kind and version is read; what is wrong is named with its field, and the object is not used."""

from __future__ import annotations

import pytest

from pilothouse.kube import parse
from pilothouse.mesh.model import Backend, HttpMatch, Name, Rule
from pilothouse.mesh.reading import Reading, read_objects


def read(text: str) -> Reading:
    """What is read from YAML."""
    parsed = parse(text, "mesh.yaml")
    assert parsed.problems == []
    return read_objects(parsed.objects)


def _split(version: str, weights: tuple[object, ...], more: str = "") -> str:
    backends = "".join(f"\n  - {{service: b{n}, weight: {w}}}" for n, w in enumerate(weights))
    return (
        f"apiVersion: split.smi-spec.io/{version}\nkind: TrafficSplit\nmetadata: {{name: s, namespace: shop}}\n"
        f"spec:\n  service: web\n  backends:{backends}\n{more}"
    )


@pytest.mark.parametrize(
    ("version", "weights", "read_as"),
    [
        ("v1alpha1", ("1", "500m"), (2, 1)),
        ("v1alpha1", ("10m", "90m"), (1, 9)),
        ("v1alpha1", ("3", "0"), (1, 0)),
        ("v1alpha2", (50, 50), (50, 50)),
        ("v1alpha4", (1, 999), (1, 999)),
    ],
)
def test_weights_keep_their_proportion(version: str, weights: tuple[object, ...], read_as: tuple[int, ...]) -> None:
    reading = read(_split(version, weights))
    assert reading.findings == []
    split = reading.configuration.splits[Name("shop", "s")]
    assert split.backends == tuple(Backend(f"b{n}", weight) for n, weight in enumerate(read_as))


def _target(version: str, body: str) -> str:
    return (
        f"apiVersion: access.smi-spec.io/{version}\nkind: TrafficTarget\nmetadata: {{name: t, namespace: shop}}\n{body}"
    )


_SPEC = """spec:
  destination: {kind: ServiceAccount, name: api, namespace: shop}
  sources: [{kind: ServiceAccount, name: web}]
"""


def test_the_port_of_an_early_target_becomes_a_route_and_is_not_lost() -> None:
    reading = read(
        _target("v1alpha2", _SPEC.replace("namespace: shop}", "namespace: shop, port: 8080}"))
        + "  rules: [{kind: HTTPRouteGroup, name: g, matches: [a]}]\n"
    )
    assert reading.findings == []
    target = reading.configuration.targets[Name("shop", "t")]
    assert target.rules == (Rule("HTTPRouteGroup", "g", ("a",)), Rule("TCPRoute", "t-port-8080"))
    assert reading.configuration.tcp_routes[Name("shop", "t-port-8080")].ports == (8080,)


def test_the_first_version_has_its_fields_at_the_top() -> None:
    reading = read(
        _target(
            "v1alpha1",
            "destination: {kind: ServiceAccount, name: api}\nsources: [{kind: ServiceAccount, name: web}]\n"
            "specs: [{kind: TCPRoute, name: all}]\n",
        )
    )
    assert reading.findings == []
    assert reading.configuration.targets[Name("shop", "t")].rules == (Rule("TCPRoute", "all"),)


@pytest.mark.parametrize("headers", ["{X-User: 'a.*'}", "[{x-user: 'a.*'}]"])
def test_headers_are_read_as_a_map_and_as_the_crds_list(headers: str) -> None:
    reading = read(
        "apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\n"
        f"spec: {{matches: [{{name: m, pathRegex: /api, methods: ['*'], headers: {headers}}}]}}\n"
    )
    assert reading.findings == []
    [match] = reading.configuration.groups[Name("default", "g")].matches
    assert match == HttpMatch("m", "/api", (), (("x-user", "a.*"),))


_RULES = "  rules: [{kind: TCPRoute, name: a}]\n"


def _changed(old: str, new: str) -> str:
    assert old in _SPEC
    return _target("v1alpha3", _SPEC.replace(old, new) + _RULES)


def _other(group: str, kind: str, spec: str) -> str:
    return f"apiVersion: {group}.smi-spec.io/v1alpha4\nkind: {kind}\nmetadata: {{name: g}}\nspec: {spec}\n"


BROKEN = {
    "spec.backends[0].weight": _split("v1alpha4", (-3, 1)),
    "spec.backends[1].weight": _split("v1alpha4", (1, 0.5)),
    "spec.backends": _split("v1alpha4", (0, 0)),
    "spec.matches": _split("v1alpha2", (1,), "  matches: [{kind: HTTPRouteGroup, name: g}]\n"),
    "spec.matches[0].kind": _split("v1alpha4", (1,), "  matches: [{kind: TCPRoute, name: g}]\n"),
    "apiVersion": _split("v1beta1", (1,)),
    "spec.sources": _changed("[{kind: ServiceAccount, name: web}]", "[]"),
    "spec.rules": _target("v1alpha3", _SPEC),
    "spec.rules[0].kind": _target("v1alpha2", _SPEC + "  rules: [{kind: UDPRoute, name: a}]\n"),
    "spec.destination.namespace": _changed("namespace: shop}", "namespace: other}"),
    "spec.destination.port": _changed("namespace: shop}", "namespace: shop, port: 80}"),
    "spec.sources[0].kind": _changed("[{kind: ServiceAccount", "[{kind: IdentityBinding"),
    "spec.matches[0].pathRegex": _other("specs", "HTTPRouteGroup", "{matches: [{name: m, pathRegex: '(?!a)b'}]}"),
    "spec.matches[0].methods[0]": _other("specs", "HTTPRouteGroup", "{matches: [{name: m, methods: [get]}]}"),
    "spec.matches.ports[0]": _other("specs", "TCPRoute", "{matches: {ports: [70000]}}"),
    "spec.schemes": _other("access", "IdentityBinding", "{schemes: {}}"),
    "spec.schemes.spiffeIdentities[0]": _other(
        "access", "IdentityBinding", "{schemes: {spiffeIdentities: [http://x]}}"
    ),
    "kind": _other("split", "TrafficSplits", "{}"),
    "spec.service": _other("split", "TrafficSplit", "{backends: [{service: a, weight: 1}]}"),
}


@pytest.mark.parametrize("field", BROKEN)
def test_what_is_wrong_is_named_and_not_used(field: str) -> None:
    reading = read(BROKEN[field])
    errors = [finding for finding in reading.findings if finding.level == "error"]
    assert field in [finding.field for finding in errors]
    assert all(finding.place is not None and finding.place.line > 0 for finding in errors)
    made = reading.configuration
    assert not any((made.splits, made.targets, made.groups, made.bindings, made.tcp_routes))
