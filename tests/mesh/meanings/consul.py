"""Consul: the router's first route, else the splitter; intentions by service, whose permissions are asked in order.

Sources: Consul's reference of service-router, service-splitter and service-intentions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import re2

from pilothouse.mesh.evaluating import Call, HttpRequest

Objects = list[dict[str, Any]]


def routed(objects: Objects, service: str, http: HttpRequest) -> dict[str, Fraction]:
    """Where a request to a service goes."""
    router = _named(objects, "ServiceRouter", service)
    for route in router["spec"]["routes"] if router else ():
        if _http(route["match"]["http"], http):
            return _split(objects, route["destination"]["service"])
    return _split(objects, service)


def _split(objects: Objects, service: str) -> dict[str, Fraction]:
    splitter = _named(objects, "ServiceSplitter", service)
    if splitter is None:
        return {service: Fraction(1)}
    parts = {split["service"]: Fraction(str(split["weight"])) / 100 for split in splitter["spec"]["splits"]}
    assert sum(parts.values()) == 1
    return parts


def allows(objects: Objects, call: Call) -> bool:
    """Whether the intentions let a call through: the destination's own, else the one for all, else deny."""
    own = _named(objects, "ServiceIntentions", call.destination.account.name)
    if own is not None:
        for source in own["spec"]["sources"]:
            if source["name"] == call.source.account.name:
                return _source(source, call)
    return False


def _source(source: dict[str, Any], call: Call) -> bool:
    if "action" in source:
        return bool(source["action"] == "allow")
    if call.http is None:
        return False
    return any(
        call.http.method in permission["http"]["methods"] and _http(permission["http"], call.http)
        for permission in source["permissions"]
    )


def _http(wanted: dict[str, Any], http: HttpRequest) -> bool:
    path = http.path.partition("?")[0]
    headers = {key.lower(): value for key, value in http.headers.items()}
    if "pathRegex" in wanted and not re2.fullmatch(wanted["pathRegex"], path):
        return False
    if "methods" in wanted and http.method not in wanted["methods"]:
        return False
    return all(
        header["name"] in headers and bool(re2.fullmatch(header["regex"], headers[header["name"]]))
        for header in wanted.get("header", ())
    )


def _named(objects: Objects, kind: str, name: str) -> dict[str, Any] | None:
    return next((o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name), None)
