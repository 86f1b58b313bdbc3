"""Whether what runs is what is declared: by what the telemetry hears, and by what a cluster's API server says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pilothouse.delivery.environments.images import Image, without

if TYPE_CHECKING:
    from pilothouse.delivery.environments.model import Environment, Placement
    from pilothouse.kube import Cluster
    from pilothouse.releases.running import RunningVersion

State = Literal["in sync", "drifted", "rolling out", "silent", "unknown"]
_WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"))


@dataclass(frozen=True, slots=True)
class Standing:
    """A service in an environment: what is declared, what is heard (`running`), what a cluster holds (None: not asked).

    `words` say what is off; `problem` why something could not be told.
    """

    service: str
    environment: str
    declared: str
    running: tuple[RunningVersion, ...]
    cluster: tuple[str, ...] | None
    state: State
    words: str
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `/api/environments` answers it."""
        return {
            "service": self.service,
            "environment": self.environment,
            "declared": self.declared,
            "running": [one.to_json() for one in self.running],
            "cluster": None if self.cluster is None else list(self.cluster),
            "state": self.state,
            "words": self.words,
            "problem": self.problem,
        }


def standing(
    environment: Environment,
    service: str,
    declared: str,
    running: Sequence[RunningVersion],
    cluster: Sequence[str] | None = None,
    rolling_out: bool = False,
    problem: str = "",
) -> Standing:
    """How a service stands. While a rollout goes on two versions run, and that is no drift."""
    heard = [one.version for one in running]
    there = tuple(cluster) if cluster is not None else None
    state, words = _judged(declared, heard, there, rolling_out, problem)
    return Standing(service, environment.name, declared, tuple(running), there, state, words, problem)


def _judged(
    declared: str, heard: Sequence[str], cluster: tuple[str, ...] | None, rolling_out: bool, problem: str
) -> tuple[State, str]:
    if problem and not declared:
        return "unknown", problem
    if rolling_out:
        return "rolling out", f"{declared} is being rolled out; {_listed(heard) or 'nothing'} runs"
    if not declared:
        return ("drifted", f"{_listed(heard)} runs, and nothing is declared") if heard else ("silent", "not deployed")
    if cluster is not None and set(cluster) != {declared}:
        has = _listed(cluster) or "no workload of it"
        return "drifted", f"{declared} is declared; the cluster has {has}"
    if not heard:
        if cluster is not None:
            return "in sync", f"{declared}, by the cluster; nothing is heard of it"
        return "silent", f"{declared} is declared; nothing is heard of it"
    if set(heard) != {declared}:
        others = _listed([version for version in heard if version != declared])
        if declared in heard:
            return "drifted", f"{declared} is declared; also running: {others}"
        return "drifted", f"{declared} is declared; running instead: {others}"
    return "in sync", declared


def _listed(versions: Sequence[str]) -> str:
    return ", ".join(versions)


def cluster_versions(cluster: Cluster, namespace: str, services: Mapping[str, Placement]) -> dict[str, list[str]]:
    """For each service the versions of its image in the cluster's workloads. Raises `KubeError`."""
    found: dict[str, set[str]] = {service: set() for service in services}
    for api_version, kind in _WORKLOADS:
        for one in cluster.list(cluster.resource(kind, api_version), namespace).objects:
            for image in _images(one.content):
                for service, placement in services.items():
                    if image.is_called(placement.image or service) and image.tag:
                        found[service].add(without(image.tag, placement.prefix))
    return {service: sorted(versions) for service, versions in found.items()}


def _images(content: Mapping[str, Any]) -> list[Image]:
    spec = ((content.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [Image.parse(str(one.get("image", ""))) for one in spec.get("containers") or [] if isinstance(one, dict)]
