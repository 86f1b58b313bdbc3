"""The Gateway API: the first rule, in order, one of whose matches holds (all of ours are regular expressions)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import re2

from pilothouse.mesh.evaluating import HttpRequest


def routed(objects: list[dict[str, Any]], service: str, port: int, http: HttpRequest) -> dict[str, Fraction] | None:
    """Where a request to a Service's port goes; None when no route has it as its parent."""
    for found in objects:
        if found["kind"] != "HTTPRoute":
            continue
        if not any(p["kind"] == "Service" and (p["name"], p["port"]) == (service, port) for p in parents(found)):
            continue
        for rule in found["spec"]["rules"]:
            if not rule.get("matches") or any(matched(match, http) for match in rule["matches"]):
                total = sum(backend["weight"] for backend in rule.get("backendRefs", ()))
                return {b["name"]: Fraction(b["weight"], total) for b in rule.get("backendRefs", ()) if b["weight"]}
        return {}
    return None


def parents(route: dict[str, Any]) -> list[dict[str, Any]]:
    """The parents of a route."""
    found: list[dict[str, Any]] = route["spec"]["parentRefs"]
    return found


def matched(match: dict[str, Any], http: HttpRequest) -> bool:
    """Whether a match holds: its path, its method, and all of its headers."""
    headers = {key.lower(): value for key, value in http.headers.items()}
    if "path" in match and not re2.fullmatch(match["path"]["value"], http.path.partition("?")[0]):
        return False
    if "method" in match and match["method"] != http.method:
        return False
    return all(
        wanted["name"] in headers and bool(re2.fullmatch(wanted["value"], headers[wanted["name"]]))
        for wanted in match.get("headers", ())
    )
