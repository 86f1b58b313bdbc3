"""The writes: objects applied and pruned, conditions set, Events told.

A few at a time, and none after leadership is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from pilothouse.kube import ApiError, Cluster, KubeError, KubeObject
from pilothouse.mesh.controlling.kinds import Kind
from pilothouse.mesh.controlling.planning import Wanted
from pilothouse.mesh.controlling.watching import MANAGER, Key, Seen, Watched

log = structlog.get_logger(__name__)
T = TypeVar("T")
_AT_ONCE = 8
# So many new objects of a kind in a namespace are looked for by one list instead of one by one.
_MANY = 8


class Writer:
    """Writes to a cluster while `may_write` says so; what fails is kept by object and tried again later."""

    def __init__(
        self, cluster: Cluster, written: Watched, may_write: Callable[[], bool], is_needed: Callable[[], bool]
    ) -> None:
        """`is_needed` tells that something changed: what is only said about resources then waits for the next look."""
        self._cluster, self._written, self._may_write, self._is_needed = cluster, written, may_write, is_needed
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mesh write")
        self.accepted: dict[Key, Any] = {}
        self.failed: dict[Key, str] = {}
        self.applied = 0
        self.pruned = 0
        # Whether something was not told, since there was something to write.
        self.put_off = False
        self._without_status: set[Kind] = set()

    def apply(self, objects: Iterable[Wanted]) -> None:
        """Server-side apply. What is ours already is forced, so that fields that others took are taken back."""
        wanted = list(objects)
        new = {one.key: one for one in wanted if self._written.get(one.key) is None}
        listed = self._listed(new.values())
        self._each(lambda one: self._apply(one, one.key in new, one.key in listed), wanted)

    def prune(self, keys: Iterable[Key]) -> None:
        """Delete objects of ours."""
        self._each(self._prune, keys)

    def conditions(self, rows: Iterable[tuple[Seen, list[dict[str, Any]]]]) -> None:
        """Set the status conditions of resources as they were seen: what others wrote since is not written over."""
        self.each(lambda row: self._conditions(*row), rows)

    def each(self, tell: Callable[[T], None], rows: Iterable[T]) -> None:
        """Tell things about resources, until there is something to write that matters more: see `put_off`."""
        self._each(lambda row: self._unless_needed(tell, row), rows)

    def _unless_needed(self, tell: Callable[[T], None], row: T) -> None:
        if self._is_needed():
            self.put_off = True
        else:
            tell(row)

    def event(self, about: KubeObject, kind: str, reason: str, message: str) -> bool:
        """Tell something about a resource; `kind` is Normal or Warning. Whether it was told."""
        if not self._may_write():
            return False
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        digest = hashlib.sha256(f"{about.metadata.get('uid')}{reason}{message}{now}".encode()).hexdigest()[:16]
        content = {
            "apiVersion": "v1", "kind": "Event", "type": kind, "reason": reason, "message": message[:1000],
            "metadata": {"name": f"{about.name[:230]}.{digest}", "namespace": about.namespace},
            "involvedObject": {"apiVersion": about.api_version, "kind": about.kind, "name": about.name,
                               "namespace": about.namespace, "uid": about.metadata.get("uid", "")},
            "source": {"component": MANAGER}, "reportingComponent": MANAGER,
            "firstTimestamp": now, "lastTimestamp": now, "count": 1,
        }  # fmt: skip
        try:
            self._cluster.create(content)
        except KubeError as error:
            log.warning("an Event could not be written", reason=str(error))
            return False
        return True

    def close(self) -> None:
        """Let running writes end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _each(self, write: Callable[[T], None], rows: Iterable[T]) -> None:
        for _ in self._pool.map(write, rows):
            pass

    def _listed(self, new: Iterable[Wanted]) -> set[Key]:
        """Look for many that may have come since the last look by listing them; which were looked for."""
        places: dict[tuple[str, str, str], list[Key]] = {}
        for one in new:
            places.setdefault((str(one.content["apiVersion"]), *one.key[1:3]), []).append(one.key)
        found: set[Key] = set()
        for (version, kind, namespace), keys in places.items():
            if len(keys) < _MANY or not self._may_write():
                continue
            try:
                there = self._cluster.list(self._cluster.resource(kind, version), namespace, exact=True)
            except KubeError as error:
                log.info("could not be listed; they are looked for one by one", kind=kind, reason=str(error))
                continue
            for live in there.objects:
                self._written.note(live)
            found.update(keys)
        return found

    def _apply(self, one: Wanted, is_new: bool, is_listed: bool) -> None:
        if not self._may_write():
            return
        try:
            if is_new:
                self._check_free(one, is_listed)
            # What comes between the look and the apply has fields of another manager: not forced, that is a conflict.
            made = self._cluster.apply(one.content, MANAGER, force=not is_new)
        except KubeError as error:
            self.failed[one.key] = _told(one.name, error)
            return
        self.failed.pop(one.key, None)
        self.accepted[one.key] = made.content.get("spec")
        self.applied += 1
        self._written.answered(made)

    def _check_free(self, one: Wanted, is_listed: bool) -> None:
        """Refuse to write over an object that came since the last look: an apply would merge ours into it."""
        if not is_listed:
            resource = self._cluster.resource(one.key[1], str(one.content["apiVersion"]))
            live = self._cluster.get(resource, one.key[3], one.key[2])
            if live is not None:
                self._written.note(live)
        seen = self._written.get(one.key)
        if seen is not None and not seen.ours:
            raise ApiError(409, "Conflict", f"{one.name} is there and is not ours: it is left as it is")

    def _prune(self, key: Key) -> None:
        if not self._may_write():
            return
        group, kind, namespace, name = key
        try:
            self._cluster.delete(self._cluster.resource(kind, group or "v1"), name, namespace)
        except KubeError as error:
            self.failed[key] = _told(f"{kind} {namespace}/{name}", error)
            return
        self.failed.pop(key, None)
        self.accepted.pop(key, None)
        self.pruned += 1

    def _conditions(self, seen: Seen, rows: list[dict[str, Any]]) -> None:
        about = seen.object
        kind = Kind(about.group, about.kind)
        if kind in self._without_status or not self._may_write():
            return
        try:
            resource = self._cluster.resource(about.kind, about.group)
            # A merge patch sets the whole list, those of others too: it must be the list that they were read from.
            change = {"metadata": {"resourceVersion": seen.version}, "status": {"conditions": rows}}
            self._cluster.patch(resource, about.name, change, about.namespace, "status")
        except ApiError as error:
            if error.status == 404 and "status" not in resource.subresources:
                # The SDK's own definitions have no status: Events are then all there is.
                self._without_status.add(kind)
                log.warning("this kind has no status: conditions cannot be shown on it", kind=about.kind)
            elif error.status == 409:
                self.put_off = True
            elif error.status != 404:
                log.warning("conditions could not be written", object=str(about), reason=str(error))
        except KubeError as error:
            log.warning("conditions could not be written", object=str(about), reason=str(error))


def _told(name: str, error: KubeError) -> str:
    said = str(error)
    return said if said.startswith(name) else f"{name}: {said}"
