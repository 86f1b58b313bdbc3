"""TrafficTargets as grants on workloads: who may send what to which pods. What access compilers start from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pilothouse.mesh.compiling.compiled import Compiled
from pilothouse.mesh.evaluating import resolved
from pilothouse.mesh.model import Configuration, HttpMatch, IdentityRef, Name, TrafficTarget, Workload


@dataclass(frozen=True, slots=True)
class Grant:
    """What one target allows: `accounts` and `spiffe` as sources, on `ports` (none: all), `http` (None: anything).

    Each is narrowed already: what a target cannot say in the interface itself is not in it.
    """

    target: TrafficTarget
    accounts: tuple[Name, ...]
    spiffe: tuple[str, ...]
    ports: tuple[int, ...]
    http: tuple[HttpMatch, ...] | None

    @property
    def subject(self) -> str:
        """The target, as findings name it."""
        return f"TrafficTarget {self.target.id}"


def grants(configuration: Configuration, compiled: Compiled) -> Iterator[Grant]:
    """What each target grants over TCP; says which parts are not enforceable by any mesh."""
    for _, target in sorted(configuration.targets.items()):
        subject = f"TrafficTarget {target.id}"
        if any(rule.kind == "UDPRoute" for rule in target.rules):
            said = "UDP passes meshes by: write a NetworkPolicy for it. The rule is left out"
            compiled.lose("udp", subject, "spec.rules", said)
        accounts, spiffe = _sources(configuration, target, compiled)
        if not accounts and not spiffe:
            compiled.lose("no-source", subject, "spec.sources", "no source can be told apart: nothing is allowed")
            continue
        ports = _ports(configuration, target, compiled)
        http = _http(configuration, target, compiled)
        only_udp = all(rule.kind == "UDPRoute" for rule in target.rules)
        if ports is not None and not only_udp:
            yield Grant(target, accounts, spiffe, ports, http)


def pods_of(configuration: Configuration, target: TrafficTarget, compiled: Compiled) -> list[Workload]:
    """The workloads that are the destination of a target, by labels that nobody else has."""
    subject, ref = f"TrafficTarget {target.id}", target.destination
    index = compiled.index(configuration)
    here = index.running_as(ref.id) if ref.kind == "ServiceAccount" else index.workloads(ref.id.namespace)
    found = [pods for pods in here if is_destination(configuration, ref, pods)]
    if not found:
        said = f"no pods were found that run as {ref.kind} {ref.id}: nothing is opened"
        compiled.lose("no-pods", subject, "spec.destination", said)
    return [pods for pods in found if _alone(configuration, ref, pods, subject, compiled)]


def is_destination(configuration: Configuration, ref: IdentityRef, pods: Workload) -> bool:
    """Whether these pods are what a target opens."""
    if pods.id.namespace != ref.id.namespace:
        return False
    if ref.kind == "ServiceAccount":
        return pods.account == ref.id.name
    binding = configuration.bindings.get(ref.id)
    if binding is None:
        return False
    by_labels = bool(binding.pod_labels) and set(binding.pod_labels) <= set(pods.labels)
    return by_labels or pods.account == binding.service_account


def _alone(configuration: Configuration, ref: IdentityRef, pods: Workload, subject: str, compiled: Compiled) -> bool:
    """Whether the labels of these pods select them only: a policy by labels would open other pods too."""
    others = [
        other.id.name
        for other in compiled.index(configuration).selected(pods.id.namespace, pods.labels)
        if not is_destination(configuration, ref, other)
    ]
    if pods.labels and not others:
        return True
    said = f"the labels of {pods.id.name} also select {', '.join(others) or 'all pods'}: it is not opened"
    compiled.lose("ambiguous-pods", subject, "spec.destination", said)
    return False


def _sources(
    configuration: Configuration, target: TrafficTarget, compiled: Compiled
) -> tuple[tuple[Name, ...], tuple[str, ...]]:
    accounts: list[Name] = []
    spiffe: list[str] = []
    for number, source in enumerate(target.sources):
        if source.kind == "ServiceAccount":
            accounts.append(source.id)
            continue
        binding = configuration.bindings.get(source.id)
        field = f"spec.sources[{number}]"
        if binding is None:
            said = f"IdentityBinding {source.id} is not there: it allows nobody"
            compiled.lose("unresolved", f"TrafficTarget {target.id}", field, said)
            continue
        if binding.pod_labels:
            said = "callers are told apart by certificate, not by pod labels: this scheme allows nobody"
            compiled.lose("pod-labels", f"TrafficTarget {target.id}", field, said)
        if binding.service_account:
            accounts.append(Name(source.id.namespace, binding.service_account))
        spiffe += binding.spiffe_identities
    return tuple(dict.fromkeys(accounts)), tuple(dict.fromkeys(spiffe))


def _ports(configuration: Configuration, target: TrafficTarget, compiled: Compiled) -> tuple[int, ...] | None:
    """The ports that TCPRoutes name; () for all; None when they name some that are not there."""
    rules = [rule for rule in target.rules if rule.kind == "TCPRoute"]
    routes = []
    for rule in rules:
        route = configuration.tcp_routes.get(Name(target.id.namespace, rule.name))
        if route is None:
            said = f"TCPRoute {rule.name} is not there: it allows nothing"
            compiled.lose("unresolved", f"TrafficTarget {target.id}", "spec.rules", said)
        else:
            routes.append(route)
    if rules and not routes:
        return None
    if any(not route.ports for route in routes):
        return ()
    return tuple(sorted({port for route in routes for port in route.ports}))


def _http(configuration: Configuration, target: TrafficTarget, compiled: Compiled) -> tuple[HttpMatch, ...] | None:
    """The matches that HTTPRouteGroups name; None when there are no such rules."""
    rules = [rule for rule in target.rules if rule.kind == "HTTPRouteGroup"]
    if not rules:
        return None
    found: list[HttpMatch] = []
    for rule in rules:
        matches = resolved(configuration, target, rule)
        missing = set(rule.matches) - {match.name for match in matches}
        if not matches or missing:
            what = f"{rule.name} has no match {', '.join(sorted(missing))}" if missing else f"{rule.name} is not there"
            compiled.lose("unresolved", f"TrafficTarget {target.id}", "spec.rules", f"HTTPRouteGroup {what}: denied")
        found += [match for match in matches if match not in found]
    return tuple(found)
