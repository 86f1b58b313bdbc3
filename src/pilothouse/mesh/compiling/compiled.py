"""What a compiler gives: objects of ours, and what is to be said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.mesh.compiling.indexing import Index
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Configuration, Name

MANAGED = {"app.kubernetes.io/managed-by": "pilothouse"}
SOURCE = "pilothouse.io/from"


@dataclass(frozen=True, slots=True)
class Options:
    """What compilers have to know of a cluster."""

    trust_domain: str = "cluster.local"
    cluster_domain: str = "cluster.local"

    def host(self, service: Name) -> str:
        """The full DNS name of a Service."""
        return f"{service.name}.{service.namespace}.svc.{self.cluster_domain}"


@dataclass(slots=True)
class Compiled:
    """Objects in a fixed order, each labelled as ours and named for what it came from, and findings."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _index: Index | None = None

    def index(self, configuration: Configuration) -> Index:
        """Services and pods by what is asked for; made once for a compilation."""
        if self._index is None:
            self._index = Index(configuration)
        return self._index

    def add(self, api_version: str, kind: str, id: Name, spec: dict[str, Any], source: str) -> None:
        """One object; `source` is the resource that it came from."""
        metadata = {
            "name": id.name, "namespace": id.namespace, "labels": dict(MANAGED), "annotations": {SOURCE: source},
        }  # fmt: skip
        self.objects.append({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec})

    def lose(self, code: str, subject: str, field: str, message: str) -> None:
        """Something that the mesh cannot express and that was left out: denied, or not diverted."""
        self.findings.append(Finding("loss", code, subject, field, message))

    def warn(self, code: str, subject: str, field: str, message: str) -> None:
        """Something that may not be meant."""
        self.findings.append(Finding("warning", code, subject, field, message))
