"""Resources as manifests of an older version. What that version cannot say is left out and told; never opened wider.

The official SDK's conversions change meaning: they lose the scale of v1alpha1 weights, drop `destination.port` (which
opens all ports) and drop headers (docs/explanation/smi-ambiguities.md). Here an object that would allow or divert more
is not written at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import (
    Configuration,
    HTTPRouteGroup,
    IdentityRef,
    Name,
    PortRoute,
    TrafficSplit,
    TrafficTarget,
)
from pilothouse.mesh.writing import (
    NEWEST,
    identity_fields,
    manifest,
    match_fields,
    rule_fields,
    split_fields,
    written,
)


@dataclass(slots=True)
class Converted:
    """The manifests, and what could not be kept."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def lose(self, subject: str, path: str, message: str, code: str = "version") -> None:
        """Note a part that the version cannot say."""
        self.findings.append(Finding("loss", code, subject, path, message))


def convert(configuration: Configuration, version: str) -> Converted:
    """All resources in one version of the interface, `v1alpha1` to `v1alpha4`."""
    made = Converted()
    if version == NEWEST:
        kinds = ("groups", "tcp_routes", "udp_routes", "bindings", "targets", "splits")
        made.objects = [written(found) for kind in kinds for _, found in sorted(getattr(configuration, kind).items())]
        return made
    for _, group in sorted(configuration.groups.items()):
        _group(made, group, version)
    for _, route in sorted(configuration.udp_routes.items()):
        made.lose(f"UDPRoute {route.id}", "kind", f"{version} has no UDPRoute: it is left out")
    used = _ports(configuration, version)
    for id, route in sorted(configuration.tcp_routes.items()):
        if not route.ports:
            spec: dict[str, Any] = {"spec": {}} if version == "v1alpha3" else {}
            made.objects.append(manifest("specs", version, route.id, "TCPRoute", spec))
        elif id not in used:
            made.lose(
                f"TCPRoute {id}", "spec.matches.ports", f"{version} has no ports: written, it would mean all ports"
            )
    for _, binding in sorted(configuration.bindings.items()):
        made.lose(f"IdentityBinding {binding.id}", "kind", f"{version} has no IdentityBinding: it is left out")
    for _, target in sorted(configuration.targets.items()):
        _target(made, configuration, target, version)
    for _, split in sorted(configuration.splits.items()):
        _split(made, split, version)
    return made


def _group(made: Converted, group: HTTPRouteGroup, version: str) -> None:
    kept = []
    for number, match in enumerate(group.matches):
        if match.headers and version == "v1alpha1":
            said = "v1alpha1 has no headers: the match is left out, since without them it would match more"
            made.lose(f"HTTPRouteGroup {group.id}", f"matches[{number}].headers", said)
        else:
            kept.append(match_fields(match))
    if kept:
        rest = {"spec": {"matches": kept}} if version == "v1alpha3" else {"matches": kept}
        made.objects.append(manifest("specs", version, group.id, "HTTPRouteGroup", rest))


def _ports(configuration: Configuration, version: str) -> dict[Name, int]:
    """TCPRoutes that an early version's `destination.port` says: those with one port."""
    if version == "v1alpha3":
        return {}
    return {id: route.ports[0] for id, route in configuration.tcp_routes.items() if len(route.ports) == 1}


def _target(made: Converted, configuration: Configuration, target: TrafficTarget, version: str) -> None:
    subject = f"TrafficTarget {target.id}"
    destination = _account(configuration, target.destination)
    if destination is None:
        made.lose(subject, "destination", f"{version} knows ServiceAccounts only: the target is left out")
        return
    sources = []
    for number, source in enumerate(target.sources):
        if (account := _account(configuration, source)) is None:
            made.lose(subject, f"sources[{number}]", f"{version} knows ServiceAccounts only: the source is left out")
        else:
            sources.append(identity_fields(account))
    rules, port = _rules(made, configuration, target, version)
    if not sources or rules is None:
        return
    to = identity_fields(destination)
    if port:
        to["port"] = port
    spec = {"destination": to, "sources": sources}
    if version == "v1alpha1":
        made.objects.append(manifest("access", version, target.id, "TrafficTarget", {**spec, "specs": rules}))
    else:
        spec = {**spec, "rules": rules}
        made.objects.append(manifest("access", version, target.id, "TrafficTarget", {"spec": spec}))


def _rules(
    made: Converted, configuration: Configuration, target: TrafficTarget, version: str
) -> tuple[list[dict[str, Any]] | None, int]:
    """The rules with the destination's port; None when the target cannot be written without opening it."""
    subject = f"TrafficTarget {target.id}"
    rules, ports = [], set()
    for number, rule in enumerate(target.rules):
        if rule.kind == "UDPRoute":
            made.lose(subject, f"rules[{number}]", f"{version} has no UDPRoute: the rule is left out")
            continue
        route = configuration.tcp_routes.get(Name(target.id.namespace, rule.name)) if rule.kind == "TCPRoute" else None
        if route is not None and route.ports:
            ports.add(route)
        else:
            rules.append(rule_fields(rule))
    if not rules and not ports:
        return None, 0
    if not ports:
        return rules, 0
    port = _only_port(ports, rules, version)
    if not port:
        said = f"{version} cannot say these ports: the target is left out, since without them it would open all ports"
        made.lose(subject, "rules", said)
        return None, 0
    return rules, port


def _only_port(routes: set[PortRoute], rules: list[dict[str, Any]], version: str) -> int:
    """The one port that early versions can name; beside a TCPRoute for all ports it would narrow what that allows."""
    ports = {port for route in routes for port in route.ports}
    if version == "v1alpha3" or len(ports) != 1 or any(rule["kind"] == "TCPRoute" for rule in rules):
        return 0
    return next(iter(ports))


def _account(configuration: Configuration, ref: IdentityRef) -> IdentityRef | None:
    """A reference as one to a ServiceAccount: as it is, or where a binding means one account and no more."""
    if ref.kind == "ServiceAccount":
        return ref
    binding = configuration.bindings.get(ref.id)
    if binding is None or binding.pod_labels or binding.spiffe_identities or not binding.service_account:
        return None
    return IdentityRef("ServiceAccount", Name(ref.id.namespace, binding.service_account))


def _split(made: Converted, split: TrafficSplit, version: str) -> None:
    fields = split_fields(split)
    if split.matches and version < "v1alpha3":
        said = f"{version} has no matches: the split is left out, since without them it would divert all requests"
        made.lose(f"TrafficSplit {split.id}", "spec.matches", said)
        return
    if version == "v1alpha1":
        for backend in fields["backends"]:
            backend["weight"] = str(backend["weight"])
    made.objects.append(manifest("split", version, split.id, "TrafficSplit", {"spec": fields}))
