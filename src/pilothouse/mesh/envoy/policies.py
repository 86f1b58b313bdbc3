"""TrafficTargets as policies of Envoy's RBAC filters: one for each target and source, and all of them add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pilothouse.mesh.compiling.compiled import Compiled
from pilothouse.mesh.compiling.granting import Grant, grants
from pilothouse.mesh.model import Configuration, HttpMatch, IdentityRef, Name, spiffe_id
from pilothouse.mesh.regexes import whole_path


def http_policies(
    configuration: Configuration, account: Name, port: int, trust_domain: str, compiled: Compiled
) -> dict[str, Any]:
    """By target, who may send which HTTP requests to the pods of an account on one of their ports."""
    return {
        str(grant.target.id): {
            "principals": _principals(grant, trust_domain),
            "permissions": [{"any": True}] if grant.http is None else [_permission(match) for match in grant.http],
        }
        for grant in _on(configuration, account, port, compiled)
        if grant.http is None or grant.http
    }


def tcp_policies(
    configuration: Configuration, account: Name, port: int, trust_domain: str, compiled: Compiled
) -> dict[str, Any]:
    """By target, who may connect; a target that names HTTP requests allows no connection."""
    return {
        str(grant.target.id): {"principals": _principals(grant, trust_domain), "permissions": [{"any": True}]}
        for grant in _on(configuration, account, port, compiled)
        if grant.http is None
    }


def _on(configuration: Configuration, account: Name, port: int, compiled: Compiled) -> Iterator[Grant]:
    for grant in grants(configuration, compiled):
        if _is(configuration, grant.target.destination, account) and (not grant.ports or port in grant.ports):
            yield grant


def _is(configuration: Configuration, ref: IdentityRef, account: Name) -> bool:
    """A proxy on this machine is known by its account only."""
    if ref.kind == "ServiceAccount":
        return ref.id == account
    binding = configuration.bindings.get(ref.id)
    return bool(binding) and Name(ref.id.namespace, binding.service_account if binding else "") == account


def _principals(grant: Grant, trust_domain: str) -> list[dict[str, Any]]:
    identities = [spiffe_id(account, trust_domain) for account in grant.accounts]
    return [{"authenticated": {"principal_name": {"exact": identity}}} for identity in (*identities, *grant.spiffe)]


def _permission(match: HttpMatch) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    if match.path_regex:
        rules.append({"url_path": {"path": {"safe_regex": {"regex": whole_path(match.path_regex)}}}})
    if match.methods:
        methods = [{"header": {"name": ":method", "string_match": {"exact": method}}} for method in match.methods]
        rules.append({"or_rules": {"rules": methods}})
    for name, pattern in match.headers:
        rules.append({"header": {"name": name, "string_match": {"safe_regex": {"regex": pattern}}}})
    return {"and_rules": {"rules": rules}} if rules else {"any": True}
