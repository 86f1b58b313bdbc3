"""The same series on both sides: by name and attributes, without those that name an instance."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from pilothouse.releases.both import Both

Labels = tuple[tuple[str, str], ...]

# Attributes that say where, not what (OpenTelemetry semantic conventions for servers and networks).
_WHERE = frozenset({
    "server.address", "server.port", "network.local.address", "network.local.port", "net.host.name",
    "net.host.port", "http.host", "host.name", "host", "instance", "pod", "container", "service.version", "version",
    "service.instance.id",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Series:
    """A row of the `series` table."""

    name: str
    series: int
    identity: int
    labels: dict[str, str]
    type: str
    unit: str
    temporality: int
    is_monotonic: bool


@dataclass(frozen=True, slots=True)
class Match:
    """The series of both sides that are one measure."""

    name: str
    labels: Labels
    type: str
    unit: str
    series: Both[tuple[Series, ...]]

    @property
    def key(self) -> tuple[str, Labels, str, str]:
        """What tells it from all others."""
        return self.name, self.labels, self.type, self.unit

    @property
    def cumulative(self) -> bool:
        """Whether it only ever grows (a counter)."""
        return all(one.is_monotonic for side in self.series for one in side)


def matched(sides: Both[list[Series]]) -> list[Match]:
    """All measures that at least one side has, ordered by name."""
    named: dict[tuple[str, str, str], Both[list[Series]]] = defaultdict(lambda: Both([], []))
    for one in sides.baseline:
        named[one.name, one.type, one.unit].baseline.append(one)
    for one in sides.candidate:
        named[one.name, one.type, one.unit].candidate.append(one)
    found: list[Match] = []
    for (name, kind, unit), both in sorted(named.items()):
        left_out = _WHERE | _disjoint(both)
        grouped: dict[Labels, Both[list[Series]]] = defaultdict(lambda: Both([], []))
        for one in both.baseline:
            grouped[_key(one, left_out)].baseline.append(one)
        for one in both.candidate:
            grouped[_key(one, left_out)].candidate.append(one)
        found += [Match(name, labels, kind, unit, series.map(tuple)) for labels, series in sorted(grouped.items())]
    return found


def _key(one: Series, left_out: frozenset[str]) -> Labels:
    return tuple(sorted((key, value) for key, value in one.labels.items() if key not in left_out))


def _disjoint(both: Both[list[Series]]) -> frozenset[str]:
    """Attributes that both sides have and share no value of: they name the side, not what is measured."""
    values = both.map(_values)
    shared = values.baseline.keys() & values.candidate.keys()
    return frozenset(key for key in shared if not values.baseline[key] & values.candidate[key])


def _values(side: list[Series]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one in side:
        for key, value in one.labels.items():
            found[key].add(value)
    return found
