"""Resources as manifests of the newest version, and the parts that older versions share with it."""

from __future__ import annotations

from typing import Any

from pilothouse.mesh.model import (
    HttpMatch,
    HTTPRouteGroup,
    IdentityBinding,
    IdentityRef,
    Name,
    PortRoute,
    Resource,
    Rule,
    TrafficSplit,
    TrafficTarget,
)

NEWEST = "v1alpha4"


def written(resource: Resource) -> dict[str, Any]:
    """A manifest of v1alpha4."""
    match resource:
        case TrafficSplit():
            return manifest("split", NEWEST, resource.id, "TrafficSplit", {"spec": split_fields(resource)})
        case TrafficTarget():
            return manifest("access", NEWEST, resource.id, "TrafficTarget", {"spec": target_fields(resource)})
        case IdentityBinding():
            schemes = binding_schemes(resource)
            return manifest("access", NEWEST, resource.id, "IdentityBinding", {"spec": {"schemes": schemes}})
        case HTTPRouteGroup():
            matches = [match_fields(match) for match in resource.matches]
            return manifest("specs", NEWEST, resource.id, "HTTPRouteGroup", {"spec": {"matches": matches}})
        case PortRoute():
            spec = {"spec": {"matches": {"ports": list(resource.ports)}}}
            return manifest("specs", NEWEST, resource.id, resource.kind, spec)


def manifest(group: str, version: str, id: Name, kind: str, rest: dict[str, Any]) -> dict[str, Any]:
    """An object of one of the interface's groups."""
    return {
        "apiVersion": f"{group}.smi-spec.io/{version}",
        "kind": kind,
        "metadata": {"name": id.name, "namespace": id.namespace},
        **rest,
    }


def split_fields(split: TrafficSplit) -> dict[str, Any]:
    """The fields of a TrafficSplit."""
    fields: dict[str, Any] = {
        "service": split.service,
        "backends": [{"service": backend.service, "weight": backend.weight} for backend in split.backends],
    }
    if split.matches:
        fields["matches"] = [
            {"apiGroup": "specs.smi-spec.io", "kind": "HTTPRouteGroup", "name": name} for name in split.matches
        ]
    return fields


def target_fields(target: TrafficTarget) -> dict[str, Any]:
    """The fields of a TrafficTarget."""
    return {
        "destination": identity_fields(target.destination),
        "sources": [identity_fields(source) for source in target.sources],
        "rules": [rule_fields(rule) for rule in target.rules],
    }


def identity_fields(ref: IdentityRef) -> dict[str, Any]:
    """A source or destination."""
    return {"kind": ref.kind, "name": ref.id.name, "namespace": ref.id.namespace}


def rule_fields(rule: Rule) -> dict[str, Any]:
    """A rule."""
    fields: dict[str, Any] = {"kind": rule.kind, "name": rule.name}
    return fields | {"matches": list(rule.matches)} if rule.matches else fields


def match_fields(match: HttpMatch) -> dict[str, Any]:
    """A match; its headers as the list that the CRD of the SDK takes."""
    fields: dict[str, Any] = {"name": match.name}
    if match.path_regex:
        fields["pathRegex"] = match.path_regex
    if match.methods:
        fields["methods"] = list(match.methods)
    if match.headers:
        fields["headers"] = [{name: pattern} for name, pattern in match.headers]
    return fields


def binding_schemes(binding: IdentityBinding) -> dict[str, Any]:
    """The schemes of an IdentityBinding."""
    schemes: dict[str, Any] = {}
    if binding.pod_labels:
        schemes["podLabelSelector"] = {"matchLabels": dict(binding.pod_labels)}
    if binding.spiffe_identities:
        schemes["spiffeIdentities"] = list(binding.spiffe_identities)
    if binding.service_account:
        schemes["serviceAccount"] = binding.service_account
    return schemes
