"""The weights of a TrafficSplit changed in a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.kube import ApiError, Cluster, KubeError, KubeObject
from pilothouse.kube.objects import mappings, text_of
from pilothouse.mesh.controlling.kinds import SPLIT
from pilothouse.mesh.model import Name
from pilothouse.mesh.shifting import ShiftError, Versions

_TRIES = 5


class SplitObjects:
    """The TrafficSplit of a Service in a cluster, the one without matches; `settings` are those of `Versions`."""

    def __init__(self, connect: Callable[[], Cluster], settings: Mapping[str, Any]) -> None:
        self._connect, self._versions = connect, Versions(settings)

    def shift(self, service: str, weights: Mapping[str, int], key: str) -> None:
        """Give each version its weight. Doing so again changes nothing. Raises `ShiftError`."""
        wanted = {self._versions.backend(service, v): w for v, w in weights.items()}
        try:
            with self._connect() as cluster:
                for attempt in range(_TRIES):
                    if _shifted(cluster, self._versions.name(service), wanted, attempt == _TRIES - 1):
                        return
        except KubeError as error:
            raise ShiftError(str(error)) from None

    def weights(self, service: str) -> Mapping[str, int] | None:
        """The weights in the cluster, by version; None when there is no such split or it cannot be read."""
        try:
            with self._connect() as cluster:
                split = _split(cluster, self._versions.name(service))
        except (KubeError, ShiftError):
            return None
        found = {text_of(one.get("service")): one.get("weight") for one in mappings(split.spec.get("backends"))}
        whole = {name: weight for name, weight in found.items() if isinstance(weight, int)}
        return self._versions.by_version(service, whole) if len(whole) == len(found) else None


def _shifted(cluster: Cluster, service: Name, wanted: Mapping[str, int], last: bool) -> bool:
    """Whether it was written; somebody who was quicker is read again, unless it is the last try."""
    split = _split(cluster, service)
    backends = [dict(one) for one in mappings(split.spec.get("backends"))]
    if missing := sorted(wanted.keys() - {text_of(one.get("service")) for one in backends}):
        raise ShiftError(f"TrafficSplit {split.namespace}/{split.name} has no backend {', '.join(missing)}")
    for one in backends:
        one["weight"] = wanted.get(text_of(one.get("service")), one.get("weight"))
    if not any(one["weight"] for one in backends):
        raise ShiftError(f"no backend of {service} would get traffic")
    resource = cluster.resource("TrafficSplit", SPLIT)
    change = {"metadata": {"resourceVersion": split.metadata.get("resourceVersion")}, "spec": {"backends": backends}}
    try:
        cluster.patch(resource, split.name, change, split.namespace)
    except ApiError as error:
        if error.status != 409 or last:
            raise
        return False
    return True


def _split(cluster: Cluster, service: Name) -> KubeObject:
    resource = cluster.resource("TrafficSplit", SPLIT)
    for one in cluster.list(resource, service.namespace, exact=True).objects:
        if one.spec.get("service") == service.name and not one.spec.get("matches"):
            return one
    raise ShiftError(f"no TrafficSplit of {service} in the cluster")
