"""Linkerd's inbound policy: the Server of the port, its first route that matches, and the policies of that route.

Sources: Linkerd's reference of authorization policy; the proxy's inbound policy, where one route is chosen first.
"""

from __future__ import annotations

from typing import Any

from pilothouse.mesh.evaluating import Call
from tests.mesh.meanings.gateway_api import matched, parents

Objects = list[dict[str, Any]]


def allows(objects: Objects, call: Call) -> bool:
    """Whether a call passes; a port without a Server has the namespace's default, which is taken to be deny."""
    labels = dict(call.destination.labels)
    server = next(
        (
            found
            for found in objects
            if found["kind"] == "Server"
            and found["metadata"]["namespace"] == call.destination.account.namespace
            and found["spec"]["port"] == call.port
            and found["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        ),
        None,
    )
    if server is None:
        return False
    targets = {("Server", server["metadata"]["name"])}
    routes = [
        found
        for found in objects
        if found["kind"] == "HTTPRoute"
        and any(
            parent["kind"] == "Server" and parent["name"] == server["metadata"]["name"] for parent in parents(found)
        )
    ]
    if server["spec"]["proxyProtocol"] == "HTTP/1" and routes:
        if call.http is None:
            return False
        chosen = next((route for route in routes if _takes(route, call)), None)
        if chosen is None:
            return False
        targets.add(("HTTPRoute", chosen["metadata"]["name"]))
    return any(
        _authenticated(objects, policy, call)
        for policy in objects
        if policy["kind"] == "AuthorizationPolicy"
        and (policy["spec"]["targetRef"]["kind"], policy["spec"]["targetRef"]["name"]) in targets
    )


def _takes(route: dict[str, Any], call: Call) -> bool:
    assert call.http is not None
    return any(matched(match, call.http) for rule in route["spec"]["rules"] for match in rule["matches"])


def _authenticated(objects: Objects, policy: dict[str, Any], call: Call) -> bool:
    for ref in policy["spec"]["requiredAuthenticationRefs"]:
        found = next((o for o in objects if o["kind"] == ref["kind"] and o["metadata"]["name"] == ref["name"]), None)
        if found is None:
            return False
        who = [(identity["namespace"], identity["name"]) for identity in found["spec"]["identityRefs"]]
        if (call.source.account.namespace, call.source.account.name) not in who:
            return False
    return True
