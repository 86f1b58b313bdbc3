"""Traffic of resources, asked of whatever mesh tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pilothouse.mesh.measuring import Ask
from pilothouse.mesh.measuring.dialects import Dialect, Place, Side, speaking
from pilothouse.mesh.measuring.flows import same
from pilothouse.mesh.measuring.querying import Key, counts, latencies
from pilothouse.mesh.model import Configuration, Name
from pilothouse.mesh.trafficmetrics.resources import KINDS, PEERS, Measured


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of an edge."""

    kind: Measured
    name: Name


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of one resource: all that it received, those of an edge, or those that a backend of a split got.

    `side` is whose proxy counted. `latency` has milliseconds by quantile, and nothing where there were no requests.
    """

    name: Name
    succeeded: int = 0
    failed: int = 0
    latency: dict[float, float] = field(default_factory=dict)
    side: Side = "server"
    direction: Literal["from", "to"] = "from"
    peer: Peer | None = None
    backend: tuple[str, str, int] | None = None


class _Told:
    """What was told of something, by key: the first account counts, and those that add to it."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], tuple[Dialect, Traffic]] = {}

    def take(self, dialect: Dialect, key: tuple[object, ...], traffic: Traffic) -> None:
        first = self._found.get(key)
        if first is None:
            self._found[key] = dialect, traffic
        elif first[0] is not dialect and dialect.part and dialect.part == first[0].part:
            self._found[key] = dialect, _added(first[1], traffic)

    def items(self) -> list[tuple[tuple[Any, ...], Traffic]]:
        return [(key, traffic) for key, (_, traffic) in self._found.items()]


def _added(one: Traffic, other: Traffic) -> Traffic:
    """Both together; quantiles do not add up, so those of the greater part stand for the whole."""
    most = max(one, other, key=lambda traffic: traffic.succeeded + traffic.failed)
    return replace(
        one, succeeded=one.succeeded + other.succeeded, failed=one.failed + other.failed, latency=most.latency
    )


def received(ask: Ask, kind: Measured, seconds: int, mesh: str = "") -> list[Traffic]:
    """What each resource of a kind received; as its own proxy counted, where there is one, else its callers'."""
    told = _Told()
    for dialect in sorted(speaking(mesh), key=lambda one: one.side, reverse=True):
        if place := dialect.server.get(kind.plural):
            for key, traffic in _asked(ask, dialect, [place], seconds):
                told.take(dialect, key, traffic)
    return sorted((traffic for _, traffic in told.items()), key=lambda one: one.name)


def edges(ask: Ask, kind: Measured, name: Name, seconds: int, mesh: str = "") -> list[Traffic]:
    """Who calls a resource (`from`) and whom it calls (`to`), as either side's proxies counted."""
    told = _Told()
    ways: tuple[tuple[Literal["from", "to"], Side], ...] = (("from", "server"), ("to", "client"))
    for dialect in speaking(mesh):
        for direction, own_side in ways:
            own = dialect.places(own_side).get(kind.plural)
            peers = dialect.places("client" if own_side == "server" else "server")
            peer_kind = next((one for one in (kind.plural, *PEERS) if one in peers), None)
            if own is None or peer_kind is None:
                continue
            for (who, peer), traffic in _asked(ask, dialect, [own, peers[peer_kind]], seconds):
                if not same(who, name):
                    continue
                edge = Peer(KINDS[peer_kind], peer)
                made = replace(traffic, name=name, direction=direction, peer=edge)
                told.take(dialect, (direction, peer, dialect.side), made)
    return [traffic for _, traffic in sorted(told.items(), key=lambda item: item[0])]


def of_splits(ask: Ask, configuration: Configuration, seconds: int, mesh: str = "") -> list[Traffic]:
    """What each backend of each split got of the requests to its Service, as the callers counted."""
    told = _Told()
    for dialect in speaking(mesh):
        if dialect.side != "client" or "services" not in dialect.server:
            continue
        places = [dialect.server["services"], *([dialect.root] if dialect.root else [])]
        for key, traffic in _asked(ask, dialect, places, seconds):
            told.take(dialect, key, traffic)
    by_name: dict[str, list[tuple[Key, Traffic]]] = {}
    for key, traffic in told.items():
        by_name.setdefault(key[0].name, []).append((key, traffic))
    found = []
    for id, split in sorted(configuration.splits.items()):
        for backend in split.backends:
            server = Name(id.namespace, backend.service)
            mine = [
                traffic
                for key, traffic in by_name.get(server.name, [])
                if same(key[0], server) and (len(key) == 1 or same(key[1], split.root))
            ]
            most = max(mine, key=lambda one: one.succeeded + one.failed, default=Traffic(id))
            of = (split.service, backend.service, backend.weight)
            found.append(Traffic(id, most.succeeded, most.failed, most.latency, "client", backend=of))
    return found


def _asked(ask: Ask, dialect: Dialect, places: list[Place], seconds: int) -> Iterator[tuple[Key, Traffic]]:
    counted = counts(ask, dialect, places, seconds)
    took = latencies(ask, dialect, places, seconds) if counted else {}
    for key, each in counted.items():
        succeeded, failed = round(each.succeeded), round(each.failed)
        if succeeded or failed:
            yield key, Traffic(key[0], succeeded, failed, took.get(key, {}), dialect.side)
