"""An OTLP trace request being put together from spans of another protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.signals.receive.log_requests import valid_text
from pilothouse.signals.receive.messages import request_class

Plain = str | int | float | bool | bytes
_LEAST, _MOST = -(2**63), 2**63 - 1


class SpanRequest:
    """Spans by the resource and the scope that they speak for."""

    def __init__(self) -> None:
        self._request: Any = request_class("traces")()
        self._resources: dict[Any, Any] = {}
        self._scopes: dict[Any, Any] = {}

    def span(self, resource: Mapping[str, Plain], scope: str = "", version: str = "") -> Any:
        """A new span of a resource."""
        key = tuple((name, type(value), value) for name, value in resource.items())
        if key not in self._resources:
            self._resources[key] = self._request.resource_spans.add()
            add_all(self._resources[key].resource.attributes, resource.items())
        place = (key, scope, version)
        if place not in self._scopes:
            made = self._resources[key].scope_spans.add()
            made.scope.name, made.scope.version = valid_text(scope), valid_text(version)
            self._scopes[place] = made
        return self._scopes[place].spans.add()

    def body(self) -> bytes:
        """The request's bytes. Links lack a field that the door's messages require of them (see `messages`)."""
        return bytes(self._request.SerializePartialToString())


def add(attributes: Any, key: str, value: Plain) -> None:
    """One attribute; a whole number that 64 bits cannot hold becomes text."""
    pair = attributes.add()
    pair.key = valid_text(key)
    match value:
        case bool():
            pair.value.bool_value = value
        case int() if _LEAST <= value <= _MOST:
            pair.value.int_value = value
        case float():
            pair.value.double_value = value
        case bytes():
            pair.value.bytes_value = value
        case _:
            pair.value.string_value = valid_text(str(value))


def add_all(attributes: Any, pairs: Iterable[tuple[str, Plain]]) -> None:
    """Several attributes."""
    for key, value in pairs:
        add(attributes, key, value)
