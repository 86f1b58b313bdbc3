"""Linkerd: HTTPRoute for splits; Server, MeshTLSAuthentication, AuthorizationPolicy and inbound HTTPRoute for access.

A request to a Server takes exactly one HTTPRoute, the one whose match says most (`ranking`), and only that route's
policies count (linkerd2-proxy's inbound policy). So targets whose matches overlap cannot stand side by side as they do
in the interface: where one match is known to lie within another, its route comes first and carries both grants; where
that is not known, the later grant is left out.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from pilothouse.mesh.compiling.compiled import Compiled, Options
from pilothouse.mesh.compiling.gateway_api import add_route, too_long
from pilothouse.mesh.compiling.granting import Grant, grants, pods_of
from pilothouse.mesh.compiling.overlapping import Overlap, compared
from pilothouse.mesh.compiling.ranking import ranked, with_path
from pilothouse.mesh.compiling.routing import Branch, PortRouting, port_routings
from pilothouse.mesh.model import Configuration, HttpMatch, Name, Workload
from pilothouse.mesh.regexes import whole_path

_EVERYTHING = HttpMatch("everything")
# Of one rule (the definition of policy.linkerd.io HTTPRoute): a match of nine methods needs two.
_MOST_MATCHES = 8
_SERVER, _POLICY, _ROUTE = "policy.linkerd.io/v1beta3", "policy.linkerd.io/v1alpha1", "policy.linkerd.io/v1beta3"


def compile_linkerd(configuration: Configuration, options: Options) -> Compiled:
    """All of a configuration for Linkerd."""
    compiled = Compiled()
    for routing in port_routings(configuration, compiled):
        service = configuration.services.get(routing.root.id)
        if service is not None and service.headless:
            said = "Linkerd does not split headless Services: it is left as it is"
            compiled.lose("headless", routing.source, "spec.service", said)
        else:
            add_route(compiled, _ranked(compiled, routing))
    opened: dict[Name, list[Grant]] = defaultdict(list)
    for grant in grants(configuration, compiled):
        if grant.spiffe:
            said = "Linkerd names callers by ServiceAccount; SPIFFE IDs are denied"
            compiled.lose("spiffe-form", grant.subject, "spec.sources", said)
        if grant.accounts:
            for pods in pods_of(configuration, grant.target, compiled):
                opened[pods.id].append(grant)
    for id, found in sorted(opened.items()):
        _open(compiled, configuration, configuration.workloads[id], found)
    return compiled


def _ranked(compiled: Compiled, routing: PortRouting) -> PortRouting:
    """Branches in an order that Linkerd keeps; the warning about what others may do is not meant for it."""

    def lose(branch: Branch, said: str) -> None:
        compiled.lose("order", branch.source, "spec.matches", f"{said}: not diverted")

    if routing.port.protocol != "http":
        return routing
    return replace(routing, branches=ranked(routing.branches, lose), ordered=True)


def _open(compiled: Compiled, configuration: Configuration, pods: Workload, found: list[Grant]) -> None:
    ports = _ports(compiled, configuration, pods)
    for grant in found:
        ports |= {port: ports.get(port, "tcp" if grant.http is None else "http") for port in grant.ports}
    if not ports:
        said = f"no port of {pods.id.name} is known (no Service leads to it): nothing is opened"
        compiled.lose("no-port", ", ".join(grant.subject for grant in found), "spec.rules", said)
    for port, protocol in sorted(ports.items()):
        here = [grant for grant in found if not grant.ports or port in grant.ports]
        _server(compiled, pods, port, protocol, here)


def _ports(compiled: Compiled, configuration: Configuration, pods: Workload) -> dict[int, str]:
    """The pod's ports that Services lead to, with what is spoken there."""
    return {
        port.target_port: port.protocol
        for service in compiled.index(configuration).services_before(pods)
        for port in service.ports
        if port.protocol != "udp"
    }


def _server(compiled: Compiled, pods: Workload, port: int, protocol: str, found: list[Grant]) -> None:
    name = Name(pods.id.namespace, f"smi-{pods.id.name}-{port}")
    source = ", ".join(dict.fromkeys(grant.subject for grant in found)) or "SMI: deny by default"
    spec = {
        "podSelector": {"matchLabels": dict(pods.labels)}, "port": port, "accessPolicy": "deny",
        "proxyProtocol": "HTTP/1" if protocol == "http" else "opaque",
    }  # fmt: skip
    compiled.add(_SERVER, "Server", name, spec, source)
    wanted = [(match, grant) for grant in found for match in grant.http or () if _fits(compiled, match, grant)]
    plain = [grant for grant in found if grant.http is None]
    if not wanted or protocol != "http":
        _authorize(compiled, name, "Server", name, [account for grant in plain for account in grant.accounts], source)
    if not wanted:
        return
    if protocol != "http":
        said = f"port {port} does not speak HTTP: its matches are denied"
        compiled.lose("matches-on-tcp", source, "spec.rules", said)
        return
    # What no route takes is answered with 404, so that a grant of everything needs a route of its own beside others.
    wanted = [(_EVERYTHING, grant) for grant in plain] + wanted
    before: list[HttpMatch] = []
    for number, pair in enumerate(partitioned(compiled, wanted)):
        # What says equally much goes by age, then by name. A route has another name, and so is made anew, whenever one
        # before it changes: so the order of names and ages is that of the list.
        before.append(pair.match)
        route = Name(name.namespace, f"{name.name}-{number:03}-{_short(before)}")
        says_something = pair.match.path_regex or pair.match.methods or pair.match.headers
        match = with_path(pair.match) if says_something else pair.match
        _inbound_route(compiled, route, name, match, source)
        _authorize(compiled, route, "HTTPRoute", route, [a for grant in pair.grants for a in grant.accounts], source)
    _probes(compiled, name, source)


@dataclass(slots=True)
class Pair:
    """A match and all grants that hold for what it takes."""

    match: HttpMatch
    grants: list[Grant]


def partitioned(compiled: Compiled, wanted: list[tuple[HttpMatch, Grant]]) -> list[Pair]:
    """Matches so ordered that the first that takes a request carries every grant for it."""
    pairs: list[Pair] = []
    for match, grant in wanted:
        relations = [(pair, compared(pair.match, match)) for pair in pairs]
        if any(relation is Overlap.UNKNOWN for _, relation in relations):
            said = f"match {match.name} may overlap with another's; Linkerd asks one route only: denied"
            compiled.lose("overlap", grant.subject, "spec.rules", said)
            continue
        same = next((pair for pair, relation in relations if relation is Overlap.EQUAL), None)
        if same is None:
            inherited = [g for pair, relation in relations if relation is Overlap.CONTAINS for g in pair.grants]
            place = next((n for n, (_, relation) in enumerate(relations) if relation is Overlap.CONTAINS), len(pairs))
            same = Pair(match, inherited)
            pairs.insert(place, same)
        for pair in (same, *(pair for pair, relation in relations if relation is Overlap.WITHIN)):
            if grant not in pair.grants:
                pair.grants.append(grant)
    return pairs


def _fits(compiled: Compiled, match: HttpMatch, grant: Grant) -> bool:
    said = too_long(match)
    if said:
        compiled.lose("too-long", grant.subject, "spec.rules", f"{said}: denied")
    return not said


def _inbound_route(compiled: Compiled, name: Name, server: Name, match: HttpMatch, source: str) -> None:
    common: dict[str, Any] = {}
    if match.path_regex:
        common["path"] = {"type": "RegularExpression", "value": whole_path(match.path_regex)}
    if match.headers:
        # Linkerd takes the first alternative that fits and then asks whether it spans the value: group and anchor it.
        common["headers"] = [
            {"type": "RegularExpression", "name": header, "value": f"^(?:{pattern})$"}
            for header, pattern in match.headers
        ]
    matches = [{**common, "method": method} for method in match.methods] or [common]
    rules = [{"matches": matches[at : at + _MOST_MATCHES]} for at in range(0, len(matches), _MOST_MATCHES)]
    parent = {"group": "policy.linkerd.io", "kind": "Server", "name": server.name}
    compiled.add(_ROUTE, "HTTPRoute", name, {"parentRefs": [parent], "rules": rules}, source)


def _authorize(compiled: Compiled, name: Name, kind: str, target: Name, accounts: list[Name], source: str) -> None:
    """Let accounts pass; none means that nothing is written and the Server's `deny` stands."""
    if not accounts:
        return
    refs = [
        {"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}
        for account in dict.fromkeys(accounts)
    ]
    compiled.add(_POLICY, "MeshTLSAuthentication", name, {"identityRefs": refs}, source)
    compiled.add(
        _POLICY,
        "AuthorizationPolicy",
        name,
        {
            "targetRef": {"group": "policy.linkerd.io", "kind": kind, "name": target.name},
            "requiredAuthenticationRefs": [
                {"group": "policy.linkerd.io", "kind": "MeshTLSAuthentication", "name": name.name}
            ],
        },
        source,
    )


def _probes(compiled: Compiled, server: Name, source: str) -> None:
    """A Server with routes loses those that let the kubelet's probes pass: which they are is for the owner to say."""
    said = (
        f"Server {server.name} now has routes of its own, so the kubelet's probes no longer pass by themselves: add an "
        "HTTPRoute for their paths with a NetworkAuthentication of the nodes' addresses"
    )
    compiled.warn("probes", source, "", said)


def _short(matches: list[HttpMatch]) -> str:
    said = [(match.path_regex, match.methods, match.headers) for match in matches]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:6]
