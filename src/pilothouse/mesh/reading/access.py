"""access.smi-spec.io: TrafficTarget from v1alpha1 to v1alpha4, IdentityBinding of v1alpha4."""

from __future__ import annotations

from typing import Any, cast

from pilothouse.kube.objects import Path
from pilothouse.mesh.model import (
    IdentityBinding,
    IdentityKind,
    IdentityRef,
    Name,
    PortRoute,
    RouteKind,
    Rule,
    TrafficTarget,
)
from pilothouse.mesh.reading.fields import Fields, shown
from pilothouse.mesh.reading.specs import body

_ROUTES = {
    "v1alpha1": ("HTTPRouteGroup", "TCPRoute"),
    "v1alpha2": ("HTTPRouteGroup", "TCPRoute"),
    "v1alpha3": ("HTTPRouteGroup", "TCPRoute", "UDPRoute"),
    "v1alpha4": ("HTTPRouteGroup", "TCPRoute", "UDPRoute"),
}


def read_target(fields: Fields, version: str) -> tuple[TrafficTarget, PortRoute | None]:
    """A TrafficTarget, and for its early `destination.port` the TCPRoute that says the same in later versions.

    That port narrows what is allowed: a conversion that drops it would open all ports.
    """
    rules_key = "specs" if version == "v1alpha1" else "rules"
    section, path = body(fields, version, ("destination", "sources", rules_key), "v1alpha2")
    destination, port = _destination(fields, section.get("destination"), (*path, "destination"), version)
    sources = tuple(
        _identity(fields, item, (*path, "sources", number), version)
        for number, item in enumerate(fields.items(section.get("sources"), (*path, "sources")))
    )
    # Early versions let a target do without rules: it then allows all traffic, as its port narrows it.
    optional = version < "v1alpha3"
    rules = [
        _rule(fields, item, (*path, rules_key, number), version)
        for number, item in enumerate(fields.items(section.get(rules_key), (*path, rules_key), not optional))
    ]
    route = None
    if port:
        route = PortRoute(Name(fields.id.namespace, f"{fields.id.name}-port-{port}"), "TCPRoute", (port,))
        rules.append(Rule("TCPRoute", route.id.name))
    elif not rules and optional:
        route = PortRoute(Name(fields.id.namespace, f"{fields.id.name}-all-ports"), "TCPRoute")
        rules.append(Rule("TCPRoute", route.id.name))
    return TrafficTarget(fields.id, destination, sources, tuple(rules)), route


def read_binding(fields: Fields) -> IdentityBinding:
    """An IdentityBinding."""
    section, path = body(fields, "v1alpha4", ("schemes",), "v1alpha4")
    path = (*path, "schemes")
    schemes = fields.section(section.get("schemes"), path, ("podLabelSelector", "spiffeIdentities", "serviceAccount"))
    if not schemes:
        fields.error(path, "must have at least one scheme", "empty")
    if "podLabelSelector" in schemes and "serviceAccount" in schemes:
        fields.error(path, "podLabelSelector and serviceAccount exclude each other", "exclusive")
    labels: dict[str, str] = {}
    if "podLabelSelector" in schemes:
        at = (*path, "podLabelSelector")
        selector = fields.section(schemes["podLabelSelector"], at, ("matchLabels",))
        found = selector.get("matchLabels")
        if not isinstance(found, dict) or not found or not all(isinstance(text, str) for text in found.values()):
            fields.error((*at, "matchLabels"), f"must have at least one label, not {shown(found)}", "type")
        else:
            labels = found
    spiffe = fields.items(schemes.get("spiffeIdentities"), (*path, "spiffeIdentities"), "spiffeIdentities" in schemes)
    for number, uri in enumerate(spiffe):
        if not isinstance(uri, str) or not uri.startswith("spiffe://") or "/" not in uri[9:]:
            fields.error((*path, "spiffeIdentities", number), f"must be a SPIFFE ID, not {shown(uri)}", "spiffe")
    account = fields.text(schemes, "serviceAccount", path, required="serviceAccount" in schemes)
    identities = tuple(uri for uri in spiffe if isinstance(uri, str))
    return IdentityBinding(fields.id, tuple(sorted(labels.items())), identities, account)


def _destination(fields: Fields, value: Any, path: Path, version: str) -> tuple[IdentityRef, int]:
    port = 0
    if version < "v1alpha3" and isinstance(value, dict) and "port" in value:
        given = value["port"]
        # The v1alpha1 CRD says number, its Go type string: both are written.
        port = fields.port(int(given) if isinstance(given, str) and given.isdigit() else given, (*path, "port"))
        value = {key: item for key, item in value.items() if key != "port"}
    found = _identity(fields, value, path, version)
    if found.id.namespace != fields.id.namespace:
        said = f"must be {fields.id.namespace}, the target's own: only its owner may open a destination"
        fields.error((*path, "namespace"), said, "namespace")
    return found, port


def _identity(fields: Fields, value: Any, path: Path, version: str) -> IdentityRef:
    section = fields.section(value, path, ("kind", "name", "namespace"))
    kinds = ("ServiceAccount", "IdentityBinding") if version == "v1alpha4" else ("ServiceAccount",)
    kind = cast(IdentityKind, fields.choice(section, "kind", path, kinds))
    namespace = fields.text(section, "namespace", path, required=False) or fields.id.namespace
    return IdentityRef(kind, Name(namespace, fields.text(section, "name", path)))


def _rule(fields: Fields, value: Any, path: Path, version: str) -> Rule:
    section = fields.section(value, path, ("kind", "name", "matches"))
    kind = cast(RouteKind, fields.choice(section, "kind", path, _ROUTES[version]))
    matches = fields.items(section.get("matches"), (*path, "matches"), required=False)
    for number, name in enumerate(matches):
        if not isinstance(name, str):
            fields.error((*path, "matches", number), f"must be a match's name, not {shown(name)}", "type")
    if matches and kind != "HTTPRouteGroup":
        fields.error((*path, "matches"), f"only an HTTPRouteGroup has matches, a {kind} has none", "matches")
    return Rule(kind, fields.text(section, "name", path), tuple(name for name in matches if isinstance(name, str)))
