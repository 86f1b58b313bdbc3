"""specs.smi-spec.io: HTTPRouteGroup, TCPRoute, UDPRoute, from v1alpha1 to v1alpha4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pilothouse.kube.objects import Path
from pilothouse.mesh.model import METHODS, HttpMatch, HTTPRouteGroup, PortRoute
from pilothouse.mesh.reading.fields import Fields, shown
from pilothouse.mesh.regexes import RegexError, compiled

_TOP = ("apiVersion", "kind", "metadata", "status")
_MATCH = ("name", "pathRegex", "methods", "headers")


def body(fields: Fields, version: str, known: tuple[str, ...], from_version: str) -> tuple[Mapping[str, Any], Path]:
    """Where the fields stand: at the top in early versions, below `spec` since `from_version`."""
    content = fields.source.content
    if version < from_version:
        return fields.section(content, (), (*_TOP, *known)), ()
    fields.section(content, (), (*_TOP, "spec"))
    return fields.section(content.get("spec"), ("spec",), known), ("spec",)


def read_group(fields: Fields, version: str) -> HTTPRouteGroup:
    """An HTTPRouteGroup."""
    section, path = body(fields, version, ("matches",), "v1alpha3")
    path = (*path, "matches")
    matches, names = [], set()
    for number, item in enumerate(fields.items(section.get("matches"), path)):
        match = _match(fields, item, (*path, number))
        if match.name in names:
            fields.error((*path, number, "name"), f"{match.name!r} is there twice", "duplicate")
        names.add(match.name)
        matches.append(match)
    return HTTPRouteGroup(fields.id, tuple(matches))


def read_port_route(fields: Fields, version: str, kind: Literal["TCPRoute", "UDPRoute"]) -> PortRoute:
    """A TCPRoute or UDPRoute; before v1alpha4 it has no ports, and means all."""
    if version < "v1alpha4":
        fields.section(fields.source.content, (), (*_TOP, "spec"))
        if version >= "v1alpha3":
            fields.section(fields.source.content.get("spec") or {}, ("spec",), ())
        return PortRoute(fields.id, kind)
    section, path = body(fields, version, ("matches",), "v1alpha4")
    path = (*path, "matches")
    matches = fields.section(section.get("matches"), path, ("name", "ports"))
    ports = fields.items(matches.get("ports"), (*path, "ports"), required=False)
    return PortRoute(fields.id, kind, tuple(fields.port(port, (*path, "ports", n)) for n, port in enumerate(ports)))


def _match(fields: Fields, item: Any, path: Path) -> HttpMatch:
    section = fields.section(item, path, _MATCH)
    pattern = fields.text(section, "pathRegex", path, required=False)
    _check_regex(fields, pattern, (*path, "pathRegex"))
    if pattern and not pattern.startswith(("/", "^", ".", "(", "[", "\\")):
        fields.say("warning", "path-start", (*path, "pathRegex"), f"{pattern!r} can match no path: paths begin with /")
    methods = _methods(fields, section.get("methods"), (*path, "methods"))
    headers = _headers(fields, section.get("headers"), (*path, "headers"))
    return HttpMatch(fields.text(section, "name", path), pattern, methods, headers)


def _methods(fields: Fields, value: Any, path: Path) -> tuple[str, ...]:
    methods = []
    for number, method in enumerate(fields.items(value, path, required=False)):
        if method != "*" and method not in METHODS:
            said = f"must be * or one of {', '.join(METHODS)}, not {shown(method)}"
            fields.error((*path, number), said, "method")
        elif method not in methods:
            methods.append(method)
    return () if "*" in methods else tuple(methods)


def _headers(fields: Fields, value: Any, path: Path) -> tuple[tuple[str, str], ...]:
    """The specification shows a map; the CRD of its SDK wants a list of maps with one key each. Both are read."""
    if value is None:
        return ()
    pairs: list[tuple[Path, Any, Any]] = []
    if isinstance(value, list):
        for number, item in enumerate(value):
            if not isinstance(item, dict):
                fields.error((*path, number), f"must be a mapping of one header, not {shown(item)}", "type")
                continue
            pairs += [((*path, number, key), key, text) for key, text in item.items()]
    elif isinstance(value, dict):
        pairs = [((*path, key), key, text) for key, text in value.items()]
    else:
        fields.error(path, f"must be a mapping of header to expression, not {shown(value)}", "type")
    found: dict[str, str] = {}
    for place, key, text in pairs:
        if not isinstance(key, str) or not isinstance(text, str):
            fields.error(place, f"must be a text, not {shown(text)}", "type")
            continue
        if key.lower() in found:
            fields.error(place, f"header {key.lower()!r} is there twice", "duplicate")
        _check_regex(fields, text, place)
        found[key.lower()] = text
    return tuple(sorted(found.items()))


def _check_regex(fields: Fields, pattern: str, path: Path) -> None:
    try:
        compiled(pattern)
    except RegexError as error:
        fields.error(path, f"{pattern!r} {error}", "regex")
