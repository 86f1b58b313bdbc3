"""Consul: the router's first route, else the splitter; intentions by service, whose permissions are asked in order.

Sources, beside Consul's reference of its configuration entries, all of hashicorp/consul:
- agent/consul/discoverychain/compile.go at 045e0ab: a backend that has a splitter is divided again, not that of the
  splitter's own name; only the first service's router is asked; resolvers redirect past splitters; without HTTP neither
  is asked
- agent/xds/routes.go at 0175aae: paths, headers and methods as Envoy matches them, whole
- agent/xds/rbac.go at 01aa565: permissions of a service that does not speak HTTP deny; a source's intentions go by
  precedence, the exact destination before `*`
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

import re2

from pilothouse.mesh.evaluating import Call, HttpRequest

Objects = list[dict[str, Any]]


def routed(objects: Objects, service: str, http: HttpRequest) -> dict[str, Fraction]:
    """Where a request to a service goes."""
    router = _named(objects, "ServiceRouter", service) if speaks_http(objects, service) else None
    for route in router["spec"]["routes"] if router else ():
        if _http(route["match"]["http"], http):
            return _split(objects, route["destination"]["service"])
    return _split(objects, service)


def speaks_http(objects: Objects, service: str) -> bool:
    """Whether the service's defaults say so."""
    defaults = _named(objects, "ServiceDefaults", service)
    return defaults is not None and defaults["spec"]["protocol"] == "http"


def _split(objects: Objects, service: str) -> dict[str, Fraction]:
    splitter = _named(objects, "ServiceSplitter", service) if speaks_http(objects, service) else None
    if splitter is None:
        return {_resolved(objects, service): Fraction(1)}
    parts: dict[str, Fraction] = defaultdict(Fraction)
    for split in splitter["spec"]["splits"]:
        weight = Fraction(str(split["weight"])) / 100
        own = split["service"] == service
        below = {_resolved(objects, service): Fraction(1)} if own else _split(objects, split["service"])
        for name, part in below.items():
            # All services of a chain speak the same.
            assert speaks_http(objects, split["service"])
            assert speaks_http(objects, name)
            parts[name] += weight * part
    assert sum(parts.values()) == 1
    return dict(parts)


def _resolved(objects: Objects, service: str) -> str:
    resolver = _named(objects, "ServiceResolver", service)
    return _resolved(objects, resolver["spec"]["redirect"]["service"]) if resolver else service


def allows(objects: Objects, call: Call) -> bool:
    """Whether the intentions let a call through: the destination's own, else the one for all, else deny."""
    own = _named(objects, "ServiceIntentions", call.destination.account.name)
    if own is not None:
        for source in own["spec"]["sources"]:
            if source["name"] == call.source.account.name:
                return _source(objects, source, call)
    return False


def _source(objects: Objects, source: dict[str, Any], call: Call) -> bool:
    if "action" in source:
        return bool(source["action"] == "allow")
    if call.http is None:
        return False
    return speaks_http(objects, call.destination.account.name) and any(
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
