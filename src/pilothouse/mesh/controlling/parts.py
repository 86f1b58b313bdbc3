"""A cluster in parts that are compiled alone: its namespaces, where the mesh knows any.

A split and its backends, a target and its destination, and what is made of them are of one namespace (the
specification; a target may only open what is its own). What reaches further is kept beside the parts: IdentityBindings,
which targets anywhere may name as sources, and users' own objects, which may claim what belongs to another namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pilothouse.mesh.controlling.interpreting import interpreted
from pilothouse.mesh.controlling.planning import Plan
from pilothouse.mesh.controlling.remembering import Memory
from pilothouse.mesh.controlling.rivals import claimed_spaces
from pilothouse.mesh.controlling.watching import Key, Seen
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Configuration
from pilothouse.mesh.reading import Reading

# Consul has one list of services for all namespaces.
_WHOLE = ("consul",)


@dataclass(slots=True)
class Part:
    """What was made of a part when it was looked at last."""

    reading: Reading
    losses: list[Finding]
    made: Plan = field(default_factory=Plan)
    memory: Memory = field(default_factory=Memory)


class Parts:
    """How one mesh's cluster is divided."""

    def __init__(self, mesh: str) -> None:
        self._whole = mesh in _WHOLE

    def of(self, key: Key) -> str:
        """The part that an object is of."""
        return "" if self._whole else key[2]

    def reached_by_read(self, seen: Seen) -> Iterable[str] | None:
        """The parts beyond its own that something read matters to: all (None), or none."""
        return None if seen.object.kind == "IdentityBinding" and seen.object.group.endswith("smi-spec.io") else ()

    def reached_by_written(self, seen: Seen) -> Iterable[str] | None:
        """The parts beyond its own that an object of a mesh matters to: a user's may claim another's host."""
        if seen.ours or self._whole:
            return ()
        return claimed_spaces(seen.object)


def read_part(own: Mapping[Key, Seen], wide: Mapping[Key, Seen], memory: Memory | None = None) -> Reading:
    """A part's objects read, with the bindings of others that its targets may name."""
    reading = interpreted(own, memory)
    others = {key: seen for key, seen in wide.items() if key not in own}
    if others:
        reading.configuration.bindings.update(interpreted(others).configuration.bindings)
    return reading


def joined(parts: Iterable[Part]) -> Reading:
    """What was read of all parts as one."""
    whole = Reading()
    for part in parts:
        whole.findings += part.reading.findings
        whole.sources.update(part.reading.sources)
        for name in Configuration.__slots__:
            getattr(whole.configuration, name).update(getattr(part.reading.configuration, name))
    return whole
