"""Measured shares of splits held against the weights that were asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.mesh.findings import Finding
from pilothouse.mesh.measuring.asking import Ask
from pilothouse.mesh.measuring.flows import Flow, flows, same
from pilothouse.mesh.measuring.intervals import wilson
from pilothouse.mesh.model import Configuration, Name, TrafficSplit
from pilothouse.mesh.splitting import Division, Root, roots
from pilothouse.signals.sentences import joined, parts_of, sentence
from pilothouse.signals.timerange import in_words

# Each of many splits is looked at again and again: a false alarm must be rare.
LEVEL = 0.999
# Consul divides by hundredths of a percent, and a mesh takes seconds to take up a change.
_TOLERANCE = 0.01
_FEWEST = 30
State = Literal["honoured", "not honoured", "too little traffic", "no traffic", "cannot tell"]


@dataclass(frozen=True, slots=True)
class BackendShare:
    """One backend: what was asked for and what was seen, as parts of 1; the interval has confidence `LEVEL`."""

    service: Name
    weight: int
    asked: float
    requests: int
    failed: int
    share: float | None
    low: float
    high: float
    honoured: bool | None

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {
            "service": self.service.name, "weight": self.weight, "asked": self.asked, "requests": self.requests,
            "failed": self.failed, "share": self.share, "low": self.low, "high": self.high, "honoured": self.honoured,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SplitShares:
    """A split over the last `seconds`; `why` says in words what `state` means here."""

    split: TrafficSplit
    seconds: int
    requests: int
    state: State
    why: str
    backends: tuple[BackendShare, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {
            "split": str(self.split.id), "service": str(self.split.root), "seconds": self.seconds,
            "requests": self.requests, "state": self.state, "why": self.why, "said": parts_of(self.why), "level": LEVEL,
            "backends": [backend.as_json() for backend in self.backends],
        }  # fmt: skip

    def finding(self) -> Finding | None:
        """What is to be said when the weights are not honoured."""
        if self.state != "not honoured":
            return None
        return Finding("warning", "share", f"TrafficSplit {self.split.id}", "spec.backends", self.why)


def shares(
    configuration: Configuration, ask: Ask, seconds: int, mesh: str = "", held: Mapping[Name, float] | None = None
) -> list[SplitShares]:
    """Every split over the last `seconds`, or for as long as it has had its weights (`held`, seconds by split)."""
    held = held or {}
    windows: dict[int, list[tuple[Root, TrafficSplit]]] = defaultdict(list)
    for root in roots(configuration):
        for division in root.divisions:
            since = held.get(division.split.id, seconds)
            windows[max(1, min(seconds, int(since)))].append((root, division.split))
    found = []
    for window, members in windows.items():
        servers = {Name(root.id.namespace, one.service) for root, split in members for one in split.backends}
        seen = flows(ask, window, mesh, servers, with_latency=False)
        found += [measured(configuration, root, split, seen, window) for root, split in members]
    return sorted(found, key=lambda one: one.split.id)


def measured(
    configuration: Configuration, root: Root, split: TrafficSplit, seen: Iterable[Flow], seconds: int
) -> SplitShares:
    """One split held against flows. A request that was addressed to a backend itself counts as one of the split's where
    the mesh does not say what was addressed (all but Linkerd).
    """
    known = [(backend, Name(split.id.namespace, backend.service)) for backend in split.backends]
    requests = {id: [0, 0] for _, id in known}
    for flow in seen:
        if flow.root.name and not same(flow.root, root.id):
            continue
        for _, id in known:
            if same(flow.server, id):
                requests[id][0] += flow.requests
                requests[id][1] += flow.failed
    total = sum(both[0] for both in requests.values())
    asked = _asked(configuration, root, split)
    doubt = _doubt(root, split)
    made = tuple(
        _backend(
            id, backend.weight, asked.get(backend.service, 0.0), requests[id][0], requests[id][1], total, bool(doubt)
        )
        for backend, id in known
    )
    state, why = _state(split, made, total, seconds, doubt)
    return SplitShares(split, seconds, total, state, why, made)


def _asked(configuration: Configuration, root: Root, split: TrafficSplit) -> dict[str, float]:
    """Each backend's part of 1; one that lacks the port of its Service gets none of it."""
    service = configuration.services.get(root.id)
    port = service.ports[0].port if service and len(service.ports) == 1 else 0
    given = Division(split).shares(configuration, port)
    total = sum(weight for _, weight in given)
    return {name: weight / total for name, weight in given}


def _backend(
    id: Name, weight: int, asked: float, requests: int, failed: int, total: int, doubtful: bool
) -> BackendShare:
    low, high = wilson(requests, total, LEVEL)
    honoured: bool | None = None
    if total >= _FEWEST and not doubtful:
        honoured = low - _TOLERANCE <= asked <= high + _TOLERANCE
    return BackendShare(id, weight, asked, requests, failed, requests / total if total else None, low, high, honoured)


def _doubt(root: Root, split: TrafficSplit) -> str:
    """Why requests to the backends may not be this split's."""
    others = {
        backend.service
        for division in root.divisions
        if division.split is not split
        for backend in division.split.backends
    }
    mine = {backend.service for backend in split.backends}
    if shared := sorted(others & mine):
        names = ", ".join(map(str, shared))
        return sentence(
            "{backend} also gets traffic from another split of {service}", backend=names, service=root.id.name
        )
    if split.service in mine and split.matches:
        return sentence("{backend} also gets the requests that do not match", backend=split.service)
    return ""


def _state(
    split: TrafficSplit, backends: tuple[BackendShare, ...], total: int, seconds: int, doubt: str
) -> tuple[State, str]:
    time = in_words(seconds)
    if not total:
        return "no traffic", sentence("no requests to its backends were measured in the last {time}", time=time)
    if doubt:
        return "cannot tell", doubt
    if total < _FEWEST:
        return "too little traffic", sentence(
            "{total} requests in the last {time}; {least} are needed to tell", total=total, time=time, least=_FEWEST
        )
    wrong = [backend for backend in backends if backend.honoured is False]
    if not wrong:
        return "honoured", sentence(
            "{total} requests in the last {time} agree with the weights", total=total, time=time
        )
    said = joined("; ", [_said(backend) for backend in wrong])
    return "not honoured", sentence("{said} ({total} requests in the last {time})", said=said, total=total, time=time)


def _said(backend: BackendShare) -> str:
    return sentence(
        "{backend} was to get {asked} and got {share} ({low} to {high})",
        backend=backend.service.name,
        asked=f"{backend.asked:.1%}",
        share=f"{backend.share or 0:.1%}",
        low=f"{backend.low:.1%}",
        high=f"{backend.high:.1%}",
    )


def not_honoured(found: Iterable[SplitShares]) -> Iterator[Finding]:
    """Findings of those whose weights a mesh does not honour."""
    for one in found:
        if (finding := one.finding()) is not None:
            yield finding
