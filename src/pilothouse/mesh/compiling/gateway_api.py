"""The Gateway API for meshes (GAMMA): HTTPRoute and TCPRoute with a Service as their parent, version v1.

It has no access policy of its own yet (GEP-3779 has no CRD), so every TrafficTarget is a loss here.
"""

from __future__ import annotations

from functools import reduce
from math import gcd
from typing import Any

from pilothouse.mesh.compiling.compiled import Compiled, Options
from pilothouse.mesh.compiling.routing import Branch, PortRouting, Shares, port_routings
from pilothouse.mesh.model import Configuration, HttpMatch, Name
from pilothouse.mesh.regexes import whole_path

_API = "gateway.networking.k8s.io/v1"
_LARGEST_WEIGHT = 1_000_000
_MOST_RULES, _MOST_MATCHES, _MOST_HEADERS = 16, 64, 16
_MOST_IN_ALL, _MOST_BACKENDS, _LONGEST_PATH, _LONGEST_HEADER = 128, 16, 1024, 4096


def compile_gateway_api(configuration: Configuration, options: Options) -> Compiled:
    """All of a configuration for a mesh that speaks the Gateway API only."""
    compiled = Compiled()
    for routing in port_routings(configuration, compiled):
        add_route(compiled, routing)
    for target in configuration.targets.values():
        said = "the Gateway API has no access policy: the target is not enforced by what is compiled here"
        compiled.lose("no-access", f"TrafficTarget {target.id}", "", said)
    return compiled


def add_route(compiled: Compiled, routing: PortRouting) -> None:
    """One route for one port of a Service."""
    root, port = routing.root.id, routing.port
    name = Name(root.namespace, f"smi-{root.name}-{port.port}")
    parent = {"group": "", "kind": "Service", "name": root.name, "port": port.port}
    if port.protocol == "http":
        if not routing.ordered and sum(bool(branch.matches) for branch in routing.branches) > 1:
            said = "which of several regular expressions counts first is for each implementation of the API to say"
            compiled.warn("order", routing.source, "spec.matches", said)
        rules = [rule for branch in routing.branches for rule in _rules(compiled, branch, port.port)]
        if said := _too_many(rules):
            # What follows a limit would be answered by the catch-all: it must not be lost silently.
            compiled.lose("too-many", routing.source, "spec", f"port {port.port} needs {said}: it is left as it is")
            return
        compiled.add(_API, "HTTPRoute", name, {"parentRefs": [parent], "rules": rules}, routing.source)
    elif routing.branches[0].source:
        rule = {"backendRefs": _backends(compiled, routing.branches[0], port.port)}
        if said := _too_many([rule]):
            compiled.lose("too-many", routing.source, "spec", f"port {port.port} needs {said}: it is left as it is")
            return
        compiled.add(_API, "TCPRoute", name, {"parentRefs": [parent], "rules": [rule]}, routing.source)


def _too_many(rules: list[dict[str, Any]]) -> str:
    """What of a route's rules is more than a route takes; empty when all of it fits."""
    matches = sum(len(rule.get("matches", ())) for rule in rules)
    backends = max((len(rule.get("backendRefs", ())) for rule in rules), default=0)
    for count, most, what in ((len(rules), _MOST_RULES, "rules"), (matches, _MOST_IN_ALL, "matches"),
                              (backends, _MOST_BACKENDS, "backends")):  # fmt: skip
        if count > most:
            return f"{count} {what}, a route takes {most}"
    return ""


def too_long(match: HttpMatch) -> str:
    """What of a match is longer than routes take (HTTPPathMatch, HTTPHeaderMatch); empty when all of it fits."""
    if len(whole_path(match.path_regex)) > _LONGEST_PATH:
        return (
            f"match {match.name} has an expression of {len(match.path_regex)} characters, a route takes {_LONGEST_PATH}"
        )
    for name, pattern in match.headers:
        if len(pattern) + 6 > _LONGEST_HEADER:
            return f"match {match.name}, header {name}: {len(pattern)} characters, a route takes {_LONGEST_HEADER}"
    return ""


def _rules(compiled: Compiled, branch: Branch, port: int) -> list[dict[str, Any]]:
    """The branch's rules: one, or more where it has more matches than a rule takes."""
    backends = _backends(compiled, branch, port)
    matches = [found for match in branch.matches for found in _matches(compiled, branch, match)]
    if branch.matches and not matches:
        # A rule without matches takes every request.
        return []
    rules: list[dict[str, Any]] = []
    for start in range(0, max(len(matches), 1), _MOST_MATCHES):
        part = matches[start : start + _MOST_MATCHES]
        rule: dict[str, Any] = {"matches": part} if part else {}
        # A rule without backends answers 500 (HTTPRoute, backendRefs): what no backend can serve fails.
        rules.append({**rule, "backendRefs": backends} if backends else rule)
    return rules


def _matches(compiled: Compiled, branch: Branch, match: HttpMatch) -> list[dict[str, Any]]:
    if len(match.headers) > _MOST_HEADERS:
        said = f"match {match.name} has {len(match.headers)} headers, a route takes {_MOST_HEADERS}: not diverted"
        compiled.lose("too-many", branch.source, "spec.matches", said)
        return []
    if said := too_long(match):
        compiled.lose("too-long", branch.source, "spec.matches", f"{said}: not diverted")
        return []
    common: dict[str, Any] = {}
    if match.path_regex:
        common["path"] = {"type": "RegularExpression", "value": whole_path(match.path_regex)}
    if match.headers:
        common["headers"] = [
            {"type": "RegularExpression", "name": name, "value": f"^(?:{pattern})$"} for name, pattern in match.headers
        ]
    return [{**common, "method": method} for method in match.methods] or [common]


def _backends(compiled: Compiled, branch: Branch, port: int) -> list[dict[str, Any]]:
    return [
        {"group": "", "kind": "Service", "name": service, "port": port, "weight": weight}
        for service, weight in _scaled(compiled, branch)
    ]


def _scaled(compiled: Compiled, branch: Branch) -> Shares:
    """Weights of at most a million: divided by what they share, then rounded."""
    if not branch.shares:
        return ()
    divisor = reduce(gcd, (weight for _, weight in branch.shares))
    shares = tuple((service, weight // divisor) for service, weight in branch.shares)
    largest = max(weight for _, weight in shares)
    if largest <= _LARGEST_WEIGHT:
        return shares
    rounded = tuple((service, max(1, round(weight * _LARGEST_WEIGHT / largest))) for service, weight in shares)
    said = f"weights are rounded to {_LARGEST_WEIGHT} parts"
    compiled.lose("weight-rounded", branch.source, "spec.backends", said)
    return rounded
