"""Istio: VirtualServices for splits; AuthorizationPolicies and PeerAuthentications for access."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import Any

from pilothouse.mesh.compiling.compiled import Compiled, Options
from pilothouse.mesh.compiling.granting import Grant, grants, pods_of
from pilothouse.mesh.compiling.routing import Branch, PortRouting, Shares, port_routings
from pilothouse.mesh.globbing import SEGMENT, path_globs, value_globs
from pilothouse.mesh.model import Configuration, HttpMatch, Name, spiffe_id
from pilothouse.mesh.regexes import whole_path

_NETWORKING, _SECURITY = "networking.istio.io/v1", "security.istio.io/v1"
_MOST_RULES = 512
_LARGEST_SUM = 2**31 - 1


def deny_in_istio(configuration: Configuration) -> Compiled:
    """Nobody is let in, wherever there are targets: the compiled targets open what they say."""
    compiled = Compiled()
    for namespace in sorted({target.id.namespace for target in configuration.targets.values()}):
        compiled.add(_SECURITY, "AuthorizationPolicy", Name(namespace, "smi-default-deny"), {}, "SMI: deny by default")
    return compiled


def compile_istio(configuration: Configuration, options: Options) -> Compiled:
    """Splits and targets for Istio's sidecars."""
    compiled = Compiled()
    routings = port_routings(configuration, compiled)
    for root, ports in groupby(routings, key=lambda routing: routing.root.id):
        _virtual_service(compiled, options, root, list(ports))
    _policies(compiled, options, configuration)
    return compiled


def _virtual_service(compiled: Compiled, options: Options, root: Name, ports: list[PortRouting]) -> None:
    spec: dict[str, Any] = {"hosts": [options.host(root)], "gateways": ["mesh"]}
    http, tcp = [], []
    for routing in ports:
        number = routing.port.port if routing.known else 0
        if routing.port.protocol == "http":
            http += [_http_route(options, root, branch, number) for branch in routing.branches]
        elif not any(branch.matches for branch in routing.branches) and routing.branches[0].source:
            route = _destinations(options, root, routing.branches[0].shares, number)
            tcp.append({"match": [{"port": number}], "route": route})
    if http:
        spec["http"] = http
    if tcp:
        spec["tcp"] = tcp
    if http or tcp:
        compiled.add(_NETWORKING, "VirtualService", Name(root.namespace, f"smi-{root.name}"), spec, ports[0].source)


def _http_route(options: Options, root: Name, branch: Branch, port: int) -> dict[str, Any]:
    route: dict[str, Any] = {}
    matches = [found for match in branch.matches for found in _http_matches(match)]
    if port:
        matches = [{"port": port, **match} for match in matches] or [{"port": port}]
    if matches:
        route["match"] = matches
    if branch.shares:
        route["route"] = _destinations(options, root, branch.shares, port)
    else:
        # No backend has the port: requests fail, and are not sent elsewhere.
        route["directResponse"] = {"status": 503}
    return route


def _http_matches(match: HttpMatch) -> list[dict[str, Any]]:
    """One for each method: Istio's match takes one."""
    common: dict[str, Any] = {}
    if match.path_regex:
        common["uri"] = {"regex": whole_path(match.path_regex)}
    if match.headers:
        common["headers"] = {name: {"regex": pattern} for name, pattern in match.headers}
    if not match.methods:
        return [common or {"uri": {"prefix": "/"}}]
    return [{"method": {"exact": method}, **common} for method in match.methods]


def _destinations(options: Options, root: Name, shares: Shares, port: int) -> list[dict[str, Any]]:
    made = []
    for service, weight in _scaled(shares):
        destination: dict[str, Any] = {"host": options.host(Name(root.namespace, service))}
        if port:
            destination["port"] = {"number": port}
        made.append({"destination": destination, "weight": weight})
    return made


def _scaled(shares: Shares) -> Shares:
    """Weights whose sum fits: Istio's webhook adds them up in 32 bits (pkg/config/validation). To a millionth."""
    total = sum(weight for _, weight in shares)
    if total <= _LARGEST_SUM:
        return shares
    return tuple((service, max(1, weight * 1_000_000 // total)) for service, weight in shares)


def _policies(compiled: Compiled, options: Options, configuration: Configuration) -> None:
    rules: dict[Name, list[dict[str, Any]]] = defaultdict(list)
    sources: dict[Name, list[str]] = defaultdict(list)
    for grant in grants(configuration, compiled):
        made = _rules(compiled, options, grant)
        for pods in pods_of(configuration, grant.target, compiled):
            rules[pods.id] += made
            sources[pods.id].append(grant.subject)
    for id, found in sorted(rules.items()):
        labels = dict(configuration.workloads[id].labels)
        name, source = Name(id.namespace, f"smi-{id.name}"), ", ".join(dict.fromkeys(sources[id]))
        if len(found) > _MOST_RULES:
            said = f"needs {len(found)} rules, Istio takes {_MOST_RULES}: the rest is denied"
            compiled.lose("too-many", source, "spec.rules", said)
        spec = {"selector": {"matchLabels": labels}, "action": "ALLOW", "rules": found[:_MOST_RULES]}
        if found:
            compiled.add(_SECURITY, "AuthorizationPolicy", name, spec, source)
        # Without mutual TLS a caller has no identity, and no rule with principals matches.
        strict = {"selector": {"matchLabels": labels}, "mtls": {"mode": "STRICT"}}
        compiled.add(_SECURITY, "PeerAuthentication", name, strict, source)


def _rules(compiled: Compiled, options: Options, grant: Grant) -> list[dict[str, Any]]:
    principals = [_principal(spiffe_id(account, options.trust_domain)) for account in grant.accounts]
    for uri in grant.spiffe:
        parts = _principal(uri).split("/")
        if len(parts) == 5 and (parts[1], parts[3]) == ("ns", "sa"):
            principals.append("/".join(parts))
        else:
            said = f"Istio names callers as trust-domain/ns/NAMESPACE/sa/NAME; {uri} has another form and is denied"
            compiled.lose("spiffe-form", grant.subject, "spec.sources", said)
    if not principals:
        return []
    who = [{"source": {"principals": principals}}]
    ports = [str(port) for port in grant.ports]
    if grant.http is None:
        return [{"from": who, "to": [{"operation": {"ports": ports}}]} if ports else {"from": who}]
    made = []
    for match in grant.http:
        made += _http_rules(compiled, grant, match, who, ports)
    return made


def _principal(uri: str) -> str:
    """A SPIFFE ID as Istio's policies write it."""
    return uri.removeprefix("spiffe://")


def _http_rules(
    compiled: Compiled, grant: Grant, match: HttpMatch, who: list[dict[str, Any]], ports: list[str]
) -> list[dict[str, Any]]:
    operation: dict[str, Any] = {"ports": ports} if ports else {}
    # Without a method or path a rule would also open TCP ports that are not HTTP.
    operation["methods"] = list(match.methods) or ["*"]
    if match.path_regex:
        globs = path_globs(match.path_regex)
        if globs is None:
            said = f"{match.path_regex!r} has no equal among Istio's path globs: match {match.name} is denied"
            compiled.lose("path-regex", grant.subject, "spec.rules", said)
            return []
        if any(SEGMENT in glob for glob in globs):
            said = f"match {match.name}: in Istio a segment has no =, no * and only letters of RFC 3986: denied"
            compiled.lose("path-segment", grant.subject, "spec.rules", said)
        operation["paths"] = list(globs)
    when = []
    for name, pattern in match.headers:
        values = value_globs(pattern)
        if values is None:
            said = f"header {name}: {pattern!r} has no equal among Istio's globs: match {match.name} is denied"
            compiled.lose("header-regex", grant.subject, "spec.rules", said)
            return []
        when.append({"key": f"request.headers[{name}]", "values": list(values)})
    rule: dict[str, Any] = {"from": who, "to": [{"operation": operation}]}
    return [rule | {"when": when} if when else rule]
