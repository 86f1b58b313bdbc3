"""The splits of one Service put together: which is asked first, and what happens to requests that none matches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pilothouse.mesh.model import Configuration, HttpMatch, Name, TrafficSplit


@dataclass(frozen=True, slots=True)
class Division:
    """A split with the matches that lead to it; without any it takes all requests that are left."""

    split: TrafficSplit
    matches: tuple[HttpMatch, ...] = ()

    def shares(self, configuration: Configuration, port: int = 0) -> tuple[tuple[str, int], ...]:
        """Backends with their weights, those that get nothing on this port left out.

        A backend without the root's port "is not included and will not receive traffic" (specification); one that is
        not known yet keeps its share, so that it fails visibly.
        """
        return tuple(
            (backend.service, backend.weight)
            for backend in self.split.backends
            if backend.weight and not _lacks(configuration, Name(self.split.id.namespace, backend.service), port)
        )

    def left_out(self, configuration: Configuration, port: int) -> tuple[str, ...]:
        """Backends that get nothing because they lack the port."""
        return tuple(
            backend.service
            for backend in self.split.backends
            if _lacks(configuration, Name(self.split.id.namespace, backend.service), port)
        )


@dataclass(frozen=True, slots=True)
class Root:
    """What clients of a Service get: `divisions` in the order in which they are asked.

    A request that none takes goes to the Service's own endpoints.
    """

    id: Name
    divisions: tuple[Division, ...]
    conflicting: tuple[TrafficSplit, ...] = ()
    unresolved: tuple[tuple[TrafficSplit, str], ...] = ()

    def unused(self) -> Iterator[tuple[str, TrafficSplit, str, str]]:
        """What of the splits has no effect: a code, the split, the field, and why."""
        for split in self.conflicting:
            said = f"another TrafficSplit without matches divides {self.id.name} and is older: this one is not used"
            yield "conflict", split, "spec.service", said
        for split, name in self.unresolved:
            yield "unresolved", split, "spec.matches", f"HTTPRouteGroup {name} is not there: nothing is diverted by it"


def roots(configuration: Configuration) -> list[Root]:
    """All Services that have splits, by name."""
    grouped: dict[Name, list[TrafficSplit]] = defaultdict(list)
    for split in configuration.splits.values():
        grouped[split.root].append(split)
    return [_root(configuration, id, splits) for id, splits in sorted(grouped.items())]


def _root(configuration: Configuration, id: Name, splits: Iterable[TrafficSplit]) -> Root:
    """Splits with matches first, the most specific before others, then by age and name; one without matches at the end.

    A second split without matches conflicts: the oldest counts, and so it stays when another is added.
    """
    divisions, plain, unresolved = [], [], []
    for split in splits:
        if not split.matches:
            plain.append(split)
            continue
        matches: list[HttpMatch] = []
        for name in split.matches:
            group = configuration.groups.get(Name(split.id.namespace, name))
            if group is None:
                unresolved.append((split, name))
            else:
                matches += group.matches
        if matches:
            divisions.append(Division(split, tuple(matches)))
    divisions.sort(key=lambda division: (-_specificity(division.matches), *_age(division.split)))
    plain.sort(key=_age)
    divisions += [Division(split) for split in plain[:1]]
    return Root(id, tuple(divisions), tuple(plain[1:]), tuple(unresolved))


def _lacks(configuration: Configuration, id: Name, port: int) -> bool:
    service = configuration.services.get(id)
    return bool(port and service and all(own.port != port for own in service.ports))


def _age(split: TrafficSplit) -> tuple[str, str]:
    return split.created or "9", split.id.name


def _specificity(matches: Iterable[HttpMatch]) -> int:
    """What the least specific match of a division asks for: headers, a path, a method."""
    return min(4 * len(match.headers) + 2 * bool(match.path_regex) + bool(match.methods) for match in matches)
