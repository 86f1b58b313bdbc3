"""Conflicts, missing references, doubts and contradictions are found, each where it stands."""

from __future__ import annotations

import pytest

from pilothouse.kube import parse
from pilothouse.mesh.checking import check
from pilothouse.mesh.reading import read_objects

_SPLIT = """apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: NAME, namespace: shop, creationTimestamp: "2026-01-0DAYT00:00:00Z"}
spec: {service: web, backends: BACKENDS}
---
"""
_GROUP = """apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: g, namespace: shop}
spec: {matches: [{name: all, pathRegex: "/"}, {name: api, pathRegex: "PATTERN"}]}
---
"""
_PORTS = """apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: p, namespace: shop}
spec: {matches: {ports: [80]}}
---
"""
_TARGET = """apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: v1}
  sources: [{kind: ServiceAccount, name: client}]
  rules: [RULE]
---
"""


def _pods(name: str) -> str:
    return f"""apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080, name: http}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{serviceAccountName: {name}}}}}}}
---
"""


def _split(name: str = "s", backends: str = "[{service: v1, weight: 1}]", more: str = "", day: int = 1) -> str:
    text = _SPLIT.replace("NAME", name).replace("BACKENDS", backends).replace("DAY", str(day))
    return text.replace("}\n---", f"{more}}}\n---") if more else text


_MATCHES = ", matches: [{kind: HTTPRouteGroup, name: g}]"
CASES = {
    "conflict": (_split("old") + _split("new", day=2), "TrafficSplit shop/new", "error"),
    "unresolved": (_split(more=_MATCHES), "TrafficSplit shop/s", "error"),
    "self-reference": (_split(backends="[{service: web, weight: 1}]"), "TrafficSplit shop/s", "warning"),
    "nesting": (
        _split() + _split("t").replace("service: web", "service: v1").replace("[{service: v1", "[{service: v2"),
        "TrafficSplit shop/s",
        "warning",
    ),
    "anchoring": (_GROUP.replace("PATTERN", "/api"), "HTTPRouteGroup shop/g", "warning"),
    "split-access": (
        _split(backends="[{service: v1, weight: 1}, {service: v2, weight: 1}]")
        + _pods("v1") + _pods("v2") + _PORTS + _TARGET.replace("RULE", "{kind: TCPRoute, name: p}"),
        "TrafficSplit shop/s",
        "warning",
    ),
    "service-port": (
        _pods("v1") + _PORTS + _TARGET.replace("RULE", "{kind: TCPRoute, name: p}"),
        "TrafficTarget shop/t",
        "warning",
    ),
    "unreachable": (
        _GROUP.replace("PATTERN", "/api(/.*)?$") + _split("a", more=_MATCHES) + _split("b", more=_MATCHES, day=2),
        "TrafficSplit shop/b",
        "warning",
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_it_is_found_where_it_stands(code: str) -> None:
    text, subject, level = CASES[code]
    findings = check(read_objects(parse(text, "mesh.yaml").objects))
    found = [finding for finding in findings if finding.code == code]
    assert {(finding.subject, finding.level) for finding in found} == {(subject, level)}
    assert all(finding.place is not None and finding.place.line > 0 for finding in found)


def test_what_is_sound_is_not_spoken_of() -> None:
    sound = (
        _split(backends="[{service: v1, weight: 9}, {service: v2, weight: 1}]", more=_MATCHES)
        + _GROUP.replace("PATTERN", "/api(/.*)?$") + _pods("web") + _pods("v1") + _pods("v2")
    )  # fmt: skip
    assert check(read_objects(parse(sound, "mesh.yaml").objects)) == []


def test_a_missing_match_is_an_error() -> None:
    rule = "{kind: HTTPRouteGroup, name: g, matches: [gone]}"
    text = _GROUP.replace("PATTERN", "/api/") + _TARGET.replace("RULE", rule)
    [finding] = check(read_objects(parse(text, "mesh.yaml").objects))
    assert (finding.code, finding.field) == ("unresolved", "spec.rules[0].matches")
    assert "'gone'" in finding.message
