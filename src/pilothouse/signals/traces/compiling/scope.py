"""What a compilation gathers: parameters, what must be joined, and the resources that spans speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.engine import Budget
from pilothouse.signals.traces.compiling.value import Value
from pilothouse.signals.traces.traceql.tree import Type

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.timerange import TimeRange

_RESOURCES = (
    "(SELECT identity, any(attributes) AS attributes, any(kinds) AS kinds FROM resources "
    "WHERE signal = 'traces' GROUP BY identity)"
)


class Scope:
    """One query's compilation; `joined` names the parts beside the span itself that its fields need."""

    def __init__(self, engine: Engine, within: TimeRange, budget: Budget | None = None) -> None:
        self.engine, self.within = engine, within
        self.budget = budget or Budget()
        self.parameters: dict[str, Any] = {"start": within.start, "end": within.end}
        self.joined: set[str] = set()
        self._names: dict[tuple[str, Any], str] = {}
        self._attributes: dict[str, list[tuple[int, str, str]]] = {}

    def bound(self, value: Any, type_: str) -> str:
        """A place for a parameter."""
        key = (type_, repr(value))
        if key not in self._names:
            self._names[key] = f"p{len(self._names)}"
            self.parameters[self._names[key]] = value
        return f"{{{self._names[key]}:{type_}}}"

    def resource(self, name: str, identity: str = "identity") -> Value | None:
        """A resource attribute of a span, looked up by its identity; None when no resource has it."""
        found = self._attribute(name)
        if not found:
            return None
        ids = self.bound([row[0] for row in found], "Array(UInt64)")
        texts = self.bound([row[1] for row in found], "Array(String)")
        kinds = self.bound([row[2] for row in found], "Array(String)")
        return Value(
            Type.ATTRIBUTE,
            f"transform({identity}, {ids}, {texts}, '')",
            f"transform({identity}, {ids}, {kinds}, '')",
        )

    def identities(self, condition: str) -> list[int]:
        """The identities for which a condition on `attributes` and `kinds` of the resource holds."""
        found = self.engine.query(f"SELECT identity FROM {_RESOURCES} WHERE {condition}", self.parameters, self.budget)
        return [int(identity) for identity in found["identity"].to_pylist()]

    def _attribute(self, name: str) -> list[tuple[int, str, str]]:
        if name not in self._attributes:
            self._attributes[name] = self._asked(name)
        return self._attributes[name]

    def _asked(self, name: str) -> list[tuple[int, str, str]]:
        key = self.bound(name, "String")
        found = self.engine.query(
            f"SELECT identity, attributes[{key}] AS text, substring(kinds, indexOf(mapKeys(attributes), {key}), 1) "
            f"AS letter FROM {_RESOURCES} WHERE mapContains(attributes, {key})",
            self.parameters,
            self.budget,
        )
        return [(row["identity"], row["text"], row["letter"]) for row in found.to_pylist()]
