"""Linkerd's inbound policy: the Server of the port, the route whose match says most, and the policies of that route.

Sources: Linkerd's reference of authorization policy; the proxy's inbound policy, where one route is chosen first;
linkerd2-proxy's linkerd/http/route (lib.rs, http/match.rs, http/match/path.rs), where matches are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from pilothouse.mesh.evaluating import Call, HttpRequest
from tests.mesh.meanings.gateway_api import matched, parents

Rank = tuple[int, bool, int]

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
        # Made within the same second: then names decide.
        routes.sort(key=lambda route: str(route["metadata"]["name"]))
        chosen = best((_rank(route["spec"]["rules"], call.http), route) for route in routes)
        if chosen is None:
            return False
        targets.add(("HTTPRoute", chosen["metadata"]["name"]))
    return any(
        _authenticated(objects, policy, call)
        for policy in objects
        if policy["kind"] == "AuthorizationPolicy"
        and (policy["spec"]["targetRef"]["kind"], policy["spec"]["targetRef"]["name"]) in targets
    )


def routed(objects: Objects, service: str, port: int, http: HttpRequest) -> dict[str, Fraction] | None:
    """Where a request to a Service's port goes; None when no route has it as its parent."""
    for found in objects:
        if found["kind"] == "HTTPRoute" and any(
            p["kind"] == "Service" and (p["name"], p["port"]) == (service, port) for p in parents(found)
        ):
            rule = best((_rank([rule], http), rule) for rule in found["spec"]["rules"])
            backends = rule.get("backendRefs", ()) if rule else ()
            total = sum(backend["weight"] for backend in backends)
            return {b["name"]: Fraction(b["weight"], total) for b in backends if b["weight"]}
    return None


def best(candidates: Iterable[tuple[Rank | None, dict[str, Any]]]) -> dict[str, Any] | None:
    """The one whose match says most; of equals the first."""
    found = [(rank, one) for rank, one in candidates if rank is not None]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _rank(rules: list[dict[str, Any]], http: HttpRequest) -> Rank | None:
    """The most that a match which holds says: the length of its path, whether it has a method, its headers."""
    ranks = [
        (len(http.path.partition("?")[0]) if "path" in match else 1, "method" in match, len(match.get("headers", ())))
        for rule in rules
        for match in rule.get("matches") or [{}]
        if matched(match, http)
    ]
    return max(ranks, default=None)


def _authenticated(objects: Objects, policy: dict[str, Any], call: Call) -> bool:
    for ref in policy["spec"]["requiredAuthenticationRefs"]:
        found = next((o for o in objects if o["kind"] == ref["kind"] and o["metadata"]["name"] == ref["name"]), None)
        if found is None:
            return False
        who = [(identity["namespace"], identity["name"]) for identity in found["spec"]["identityRefs"]]
        if (call.source.account.namespace, call.source.account.name) not in who:
            return False
    return True
