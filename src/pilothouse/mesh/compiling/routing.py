"""The splits of a Service as branches by port: what all meshes' routes are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pilothouse.mesh.compiling.compiled import Compiled
from pilothouse.mesh.model import Configuration, HttpMatch, ServicePort
from pilothouse.mesh.splitting import Root, roots

Shares = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """Requests that one of `matches` takes (none: all that are left) go to `shares`; `source` is the split."""

    matches: tuple[HttpMatch, ...]
    shares: Shares
    source: str


@dataclass(frozen=True, slots=True)
class PortRouting:
    """The branches of one port of a root, the last without matches. `known` is false when the Service was not seen,
    `ordered` when whoever follows the branches keeps their order.
    """

    root: Root
    port: ServicePort
    branches: tuple[Branch, ...]
    known: bool = True
    ordered: bool = False

    @property
    def source(self) -> str:
        """The splits that it comes from."""
        return ", ".join(f"TrafficSplit {division.split.id}" for division in self.root.divisions)


def port_routings(configuration: Configuration, compiled: Compiled) -> Iterator[PortRouting]:
    """Every port of every Service that has splits; says what is left out on the way."""
    for root in roots(configuration):
        for code, split, field, said in root.unused():
            compiled.lose(code, f"TrafficSplit {split.id}", field, said)
        if not root.divisions:
            continue
        service = configuration.services.get(root.id)
        if service is None:
            said = "the Service was not among what was read: its port is taken to be 80 and HTTP"
            compiled.warn("unknown-service", f"TrafficSplit {root.divisions[0].split.id}", "spec.service", said)
        for port in service.ports if service else (ServicePort(80, 80),):
            if port.protocol == "udp":
                said = f"port {port.port} is UDP, which no mesh splits: it is left as it is"
                compiled.lose("udp", f"TrafficSplit {root.divisions[0].split.id}", "spec.service", said)
            else:
                yield PortRouting(root, port, _branches(configuration, root, port, compiled), service is not None)


def _branches(configuration: Configuration, root: Root, port: ServicePort, compiled: Compiled) -> tuple[Branch, ...]:
    branches = []
    for division in root.divisions:
        subject = f"TrafficSplit {division.split.id}"
        if division.matches and port.protocol != "http":
            said = f"port {port.port} is not HTTP: matches do not apply to it, it goes to the Service itself"
            compiled.warn("matches-on-tcp", subject, "spec.matches", said)
            continue
        for backend in division.left_out(configuration, port.port):
            said = f"{backend} has no port {port.port} as {root.id.name} has: it gets no traffic there"
            compiled.warn("no-such-port", subject, "spec.backends", said)
        branches.append(Branch(division.matches, division.shares(configuration, port.port), subject))
    if not branches or branches[-1].matches:
        branches.append(Branch((), ((root.id.name, 1),), ""))
    return tuple(branches)
