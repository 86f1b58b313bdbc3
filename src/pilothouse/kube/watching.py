"""A collection followed over time: listed once, then watched, resumed where it broke, listed again where that is lost.

The protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from pilothouse.kube.cluster import Cluster
from pilothouse.kube.discovering import Resource
from pilothouse.kube.errors import ApiError, ConnectionFailedError
from pilothouse.kube.objects import KubeObject, mapping, text_of

log = structlog.get_logger(__name__)

ADDED, MODIFIED, DELETED, SYNCED = "ADDED", "MODIFIED", "DELETED", "SYNCED"
_MOST_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """`ADDED`, `MODIFIED`, `DELETED`, or `SYNCED` (no object): all that was there has been told."""

    type: str
    object: KubeObject | None


def follow(
    cluster: Cluster,
    resource: Resource,
    namespace: str = "",
    labels: str = "",
    fields: str = "",
    stopping: Callable[[], bool] = lambda: False,
    quiet: float = 240.0,
) -> Iterator[WatchEvent]:
    """Every object once, then SYNCED, then each change, until `stopping`; survives restarts of the API server.

    Tells a change exactly once as long as the server keeps its history; after a gap (410 Gone) the collection is
    listed again and the difference told. Raises `ApiError` for what will not get better (403, 404).
    """
    following = _Following(cluster, resource, namespace, labels, fields, stopping, quiet)
    wait = 0.5
    while not stopping():
        try:
            if not following.version:
                yield from following.list()
            for event in following.watch():
                wait = 0.5
                yield event
        except ApiError as error:
            if error.status in (401, 403, 404, 405):
                raise
            if error.status == 410:
                following.version = ""
                continue
            log.warning("the watch was refused, trying again", kind=resource.kind, reason=str(error))
            wait = _pause(wait, stopping)
        except ConnectionFailedError as error:
            log.warning("the API server does not answer, trying again", kind=resource.kind, reason=str(error))
            wait = _pause(wait, stopping)


def _pause(wait: float, stopping: Callable[[], bool]) -> float:
    """Wait with jitter, so that many watches do not come back in step; returns the next wait."""
    until = time.monotonic() + wait * (0.5 + random.random())  # noqa: S311 - jitter
    while time.monotonic() < until and not stopping():
        time.sleep(0.1)
    return min(wait * 2, _MOST_WAIT)


class _Following:
    def __init__(
        self,
        cluster: Cluster,
        resource: Resource,
        namespace: str,
        labels: str,
        fields: str,
        stopping: Callable[[], bool],
        quiet: float,
    ) -> None:
        self._cluster, self._resource, self._namespace = cluster, resource, namespace
        self._labels, self._fields, self._stopping, self._quiet = labels, fields, stopping, quiet
        self.version = ""
        # uid to resource version, namespace and name: what a later listing is compared with.
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}
        self._synced = False

    def list(self) -> Iterator[WatchEvent]:
        listing = self._cluster.list(self._resource, self._namespace, self._labels, self._fields, exact=self._synced)
        there = set()
        for one in listing.objects:
            uid = _uid(one.content)
            there.add(uid)
            before = self._known.get(uid)
            self._remember(one.content)
            if before is None:
                yield WatchEvent(ADDED, one)
            elif before[0] != one.metadata.get("resourceVersion"):
                yield WatchEvent(MODIFIED, one)
        for uid in self._known.keys() - there:
            _, meta = self._known.pop(uid)
            content = {"apiVersion": self._resource.api_version, "kind": self._resource.kind, "metadata": meta}
            yield WatchEvent(DELETED, KubeObject(content))
        self.version = listing.resource_version
        if not self._synced:
            self._synced = True
            yield WatchEvent(SYNCED, None)

    def watch(self) -> Iterator[WatchEvent]:
        parameters = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version,
            "timeoutSeconds": str(max(1, int(self._quiet))),
            "labelSelector": self._labels,
            "fieldSelector": self._fields,
        }
        given = {name: value for name, value in parameters.items() if value}
        for line in self._cluster.lines(self._resource.path(self._namespace), given, self._quiet + 10):
            kind, content = line.get("type"), mapping(line.get("object"))
            if kind == "ERROR":
                status = int(content.get("code") or 500)
                raise ApiError(status, text_of(content.get("reason")), text_of(content.get("message")))
            self.version = text_of(mapping(content.get("metadata")).get("resourceVersion")) or self.version
            if kind in (ADDED, MODIFIED, DELETED):
                one = KubeObject(dict(content))
                self._remember(one.content, gone=kind == DELETED)
                yield WatchEvent(str(kind), one)
            if self._stopping():
                return

    def _remember(self, content: dict[str, Any], gone: bool = False) -> None:
        if gone:
            self._known.pop(_uid(content), None)
            return
        meta = mapping(content.get("metadata"))
        kept = {key: meta[key] for key in ("name", "namespace", "uid") if key in meta}
        self._known[_uid(content)] = (text_of(meta.get("resourceVersion")), kept)


def _uid(content: dict[str, Any]) -> str:
    meta = mapping(content.get("metadata"))
    return text_of(meta.get("uid")) or f"{meta.get('namespace')}/{meta.get('name')}"
