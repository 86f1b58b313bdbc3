"""Istio: the first http route whose match holds; authorization: no policy of the pod allows all, else one must match.

Sources, beside Istio's reference of VirtualService and AuthorizationPolicy: istio/istio
pilot/pkg/networking/core/route/route.go at 0098d99 (one destination gets all whatever its weight, weights of 0 are left
out), pilot/pkg/security/authz/model/{generator.go at 0098d99, permission.go at 2bb6db7} (what asks for HTTP is left out
for TCP, so that it allows nothing), pilot/pkg/security/authz/matcher/header.go at 046845d (`*` asks for a header that
is there, also an empty one); envoyproxy/envoy source/extensions/path/uri_template_lib/uri_template_internal.cc at
0f39b1c (what `{*}` takes).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import re2

from pilothouse.mesh.evaluating import Call, HttpRequest

Objects = list[dict[str, Any]]


def allows(objects: Objects, call: Call) -> bool:
    """Whether the policies let a call through."""
    namespace, labels = call.destination.account.namespace, dict(call.destination.labels)
    policies = [
        found["spec"]
        for found in objects
        if found["kind"] == "AuthorizationPolicy"
        and found["metadata"]["namespace"] == namespace
        and found["spec"].get("selector", {}).get("matchLabels", {}).items() <= labels.items()
    ]
    if not policies:
        return True
    return any(_rule(rule, call) for policy in policies for rule in policy.get("rules", ()))


def _rule(rule: dict[str, Any], call: Call) -> bool:
    principal = call.source.spiffe_id().removeprefix("spiffe://")
    if not any(principal in entry["source"]["principals"] for entry in rule["from"]):
        return False
    if "to" in rule and not any(_operation(entry["operation"], call) for entry in rule["to"]):
        return False
    return all(_condition(condition, call) for condition in rule.get("when", ()))


def _operation(operation: dict[str, Any], call: Call) -> bool:
    if "ports" in operation and str(call.port) not in operation["ports"]:
        return False
    if call.http is None:
        return "methods" not in operation and "paths" not in operation
    path = call.http.path.partition("?")[0]
    if "methods" in operation and not any(_glob(glob, call.http.method) for glob in operation["methods"]):
        return False
    return "paths" not in operation or any(_path(glob, path) for glob in operation["paths"])


def _condition(condition: dict[str, Any], call: Call) -> bool:
    name = condition["key"].removeprefix("request.headers[").removesuffix("]")
    headers = {key.lower(): value for key, value in (call.http.headers if call.http else {}).items()}
    return name in headers and any(glob == "*" or _glob(glob, headers[name]) for glob in condition["values"])


def _glob(glob: str, value: str) -> bool:
    """Exact, `x*`, `*x`, and `*` for anything that is not empty."""
    if glob == "*":
        return value != ""
    if glob.endswith("*"):
        return value.startswith(glob[:-1])
    return value.endswith(glob[1:]) if glob.startswith("*") else value == glob


def _path(glob: str, path: str) -> bool:
    if "{*}" not in glob:
        return _glob(glob, path)
    return bool(re.fullmatch(re.escape(glob).replace(re.escape("{*}"), "[-a-zA-Z0-9._~%!$&'()+,;:@]+"), path))


def routed(objects: Objects, host: str, port: int, http: HttpRequest) -> dict[str, Fraction] | None:
    """Where a request to a host goes; None when no VirtualService has the host."""
    for found in objects:
        if found["kind"] == "VirtualService" and host in found["spec"]["hosts"]:
            for route in found["spec"].get("http", ()):
                if not route.get("match") or any(_match(match, port, http) for match in route["match"]):
                    return _shares(route.get("route", ()))
            return {}
    return None


def _match(match: dict[str, Any], port: int, http: HttpRequest) -> bool:
    path = http.path.partition("?")[0]
    headers = {key.lower(): value for key, value in http.headers.items()}
    if match.get("port", port) != port:
        return False
    if "uri" in match:
        uri = match["uri"]
        if not (re2.fullmatch(uri["regex"], path) if "regex" in uri else path.startswith(uri["prefix"])):
            return False
    if "method" in match and match["method"]["exact"] != http.method:
        return False
    return all(
        name in headers and bool(re2.fullmatch(wanted["regex"], headers[name]))
        for name, wanted in match.get("headers", {}).items()
    )


def _shares(routes: Any) -> dict[str, Fraction]:
    """One destination gets all, whatever its weight."""
    if len(routes) == 1:
        return {routes[0]["destination"]["host"]: Fraction(1)}
    total = sum(route["weight"] for route in routes)
    return {route["destination"]["host"]: Fraction(route["weight"], total) for route in routes if route["weight"]}
