"""Where a server's mesh configuration comes from: files that are read again when they change, or a watched cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pilothouse.kube import KubeObject, read
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Name, TrafficSplit
from pilothouse.mesh.noticing import stamps
from pilothouse.mesh.reading import Reading, read_objects


@dataclass(frozen=True, slots=True)
class State:
    """What a source knows: the configuration as read, where it is from, what hinders reading it, and since when each
    split has had its weights (Unix seconds; missing where that was before the source began to look).
    """

    reading: Reading
    kind: str
    name: str
    mesh: str = ""
    problems: tuple[str, ...] = ()
    since: dict[Name, float] = field(default_factory=dict)
    losses: tuple[Finding, ...] = ()
    controller: dict[str, Any] | None = None
    objects: Sequence[KubeObject] = ()

    def labels(self, kind: str) -> dict[Name, Mapping[str, Any]]:
        """The resources of a kind of Kubernetes that are there, with their labels."""
        return {
            Name(one.namespace or "default", one.name): one.labels
            for one in self.objects
            if one.kind == kind and one.group in ("", "apps", "batch")
        }


class Source(Protocol):
    """Gives the state now; may be called from any thread, and does not wait for a network."""

    def state(self) -> State:
        """What is known."""
        ...


class Weighing:
    """Remembers since when splits have had their weights."""

    def __init__(self) -> None:
        self._weights: dict[Name, tuple[tuple[tuple[str, int], ...], float]] = {}

    def look(self, splits: dict[Name, TrafficSplit], changed: dict[Name, float]) -> dict[Name, float]:
        """Since when (Unix seconds) the splits have had the weights that they have; `changed` is what
        their files say, where they are of files."""
        now = time.time()
        for id, split in splits.items():
            weights = tuple((backend.service, backend.weight) for backend in split.backends)
            before = self._weights.get(id)
            if before is None:
                self._weights[id] = weights, changed.get(id, 0.0)
            elif before[0] != weights:
                # A file says when; nobody may have asked since.
                self._weights[id] = weights, changed.get(id, now)
        for gone in self._weights.keys() - splits.keys():
            del self._weights[gone]
        return {id: since for id, (_, since) in self._weights.items()}


class Files:
    """Manifests in a file or directory, read again when one was written.

    `services` is the file of `pilothouse mesh envoy`: the Services of a machine without Kubernetes.
    """

    def __init__(self, path: Path, namespace: str = "default", services: Path | None = None) -> None:
        self._path, self._namespace, self._services = path, namespace, services
        self._lock = threading.Lock()
        self._stamps: dict[Path, tuple[int, int]] | None = None
        self._state = State(Reading(), "files", str(path))
        self._weighing = Weighing()

    def state(self) -> State:
        """What the files say now."""
        with self._lock:
            now = stamps([self._path, *([self._services] if self._services else ())])
            if now != self._stamps:
                self._state = self._read()
                self._stamps = now
            return self._state

    def _read(self) -> State:
        found = read([self._path])
        reading = read_objects(found.objects, self._namespace)
        written: dict[Name, float] = {}
        for id in reading.configuration.splits:
            source = reading.sources.get(("TrafficSplit", id))
            if source is not None and source.file and Path(source.file).is_file():
                written[id] = Path(source.file).stat().st_mtime
        since = self._weighing.look(reading.configuration.splits, written)
        problems = (*map(str, found.problems), *self._add_services(reading))
        return State(reading, "files", str(self._path), "", problems, since, objects=found.objects)

    def _add_services(self, reading: Reading) -> list[str]:
        """Put the machine's services beside those of manifests; what hinders that."""
        if self._services is None:
            return []
        from pilothouse.mesh.envoy.local import LocalMeshError, kube_services, kube_workloads, read_local_mesh

        try:
            mesh = read_local_mesh(self._services)
        except LocalMeshError as error:
            return [str(error)]
        reading.configuration.services.update(kube_services(mesh))
        reading.configuration.workloads.update(kube_workloads(mesh))
        return []
