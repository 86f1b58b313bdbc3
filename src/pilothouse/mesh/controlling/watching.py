"""What the cluster has, kept as it changes: a thread for each kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from pilothouse.kube import ApiError, Cluster, KubeError, KubeObject, follow
from pilothouse.kube.discovering import Resource
from pilothouse.kube.objects import mapping, mappings, text_of
from pilothouse.kube.watching import DELETED, SYNCED
from pilothouse.mesh.controlling.kinds import ACCESS, SPECS, SPLIT, Kind
from pilothouse.mesh.controlling.pending import Pending

log = structlog.get_logger(__name__)
_AGAIN = 15.0
MANAGER = "pilothouse-mesh"
"""The field manager that objects are applied as, and by which ours are told from a user's."""
_PASSING_LABELS = frozenset(
    ("pod-template-hash", "controller-revision-hash", "pod-template-generation", "apps.kubernetes.io/pod-index",
     "statefulset.kubernetes.io/pod-name")
)  # fmt: skip
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as it is kept: without what changes all the time; `ours` when we applied it, `version` to write at."""

    object: KubeObject
    ours: bool
    version: str
    conditions: tuple[dict[str, Any], ...] = ()


Reach = Callable[[Seen], Iterable[str] | None]


def _nowhere(seen: Seen) -> Iterable[str]:
    return ()


class Watched:
    """The objects of some kinds, by the part of the cluster that they are of. What matters is noted in `pending`."""

    def __init__(
        self,
        cluster: Cluster,
        kinds: Iterable[Kind],
        stopping: Callable[[], bool],
        pending: Pending,
        part_of: Callable[[Key], str] = lambda key: key[2],
        reach: Reach = _nowhere,
    ) -> None:
        """`reach` says which parts beyond its own an object matters to: None for all."""
        self._cluster, self._kinds, self._stopping = cluster, tuple(kinds), stopping
        self._part_of, self._reach = part_of, reach
        self._objects: dict[str, dict[Key, Seen]] = {}
        self._wide: dict[Key, Seen] = {}
        self._lock = threading.Lock()
        self._waiting = set(self._kinds)
        self.pending = pending
        self.resources: dict[Kind, Resource] = {}
        self.problems: dict[Kind, str] = {}
        self.blocked: dict[Kind, str] = {}

    def start(self) -> None:
        """Begin to watch."""
        for kind in self._kinds:
            threading.Thread(target=self._keep, args=(kind,), name=f"mesh {kind.name}", daemon=True).start()

    @property
    def synced(self) -> bool:
        """Whether all kinds have been seen, or were found not to be there."""
        return not self._waiting

    def all(self) -> dict[Key, Seen]:
        """A copy of what is there now."""
        with self._lock:
            return {key: seen for part in self._objects.values() for key, seen in part.items()}

    def parts(self) -> set[str]:
        """The parts that have objects."""
        with self._lock:
            return set(self._objects)

    def of(self, part: str) -> dict[Key, Seen]:
        """A copy of what a part has now."""
        with self._lock:
            return dict(self._objects.get(part, ()))

    def wide(self) -> dict[Key, Seen]:
        """The objects that matter beyond their own part."""
        with self._lock:
            return dict(self._wide)

    def get(self, key: Key) -> Seen | None:
        """One object."""
        with self._lock:
            return self._objects.get(self._part_of(key), {}).get(key)

    def note(self, one: KubeObject) -> None:
        """Take what was looked for and found, so that the next look does not see the state before it."""
        self._take("MODIFIED", one)

    def answered(self, one: KubeObject) -> None:
        """Take what an apply of ours answered: it is what was asked for, and so no reason for a look of its own."""
        self._take("MODIFIED", one, tell=False)

    def _keep(self, kind: Kind) -> None:
        """Watch a kind for good; one that is not served yet is looked for again."""
        while not self._stopping():
            try:
                resource = self._cluster.resource(kind.name, kind.group or "v1")
                self.resources[kind] = resource
                self._follow(kind, resource)
            except (KubeError, OSError) as error:
                if self._stopping():
                    return
                self._trouble(kind, str(error))
            except Exception as error:
                if self._stopping():
                    return
                self._trouble(kind, str(error))
                log.exception("a watch ended", kind=kind.name)
            self._waiting.discard(kind)
            self.pending.note_all()
            self._pause(_AGAIN)

    def _trouble(self, kind: Kind, why: str) -> None:
        """A kind cannot be watched: either the cluster has it not, or something hinders us, which is not the same."""
        if self._is_absent(kind):
            self.blocked.pop(kind, None)
            self._forget(kind)
        else:
            self.blocked[kind] = why
        if self.problems.get(kind) != why:
            log.warning("not watched; trying again", kind=kind.name, reason=why)
        self.problems[kind] = why

    def _is_absent(self, kind: Kind) -> bool:
        """Whether the cluster says itself that it does not serve a kind: discovery that failed is no such answer."""
        if not kind.group:
            return False
        try:
            group = self._cluster.request("GET", f"/apis/{kind.group}")
            for version in mappings(group.get("versions")):
                listed = self._cluster.request("GET", f"/apis/{version.get('groupVersion')}")
                if any(row.get("kind") == kind.name for row in mappings(listed.get("resources"))):
                    return False
        except ApiError as error:
            return error.status == 404
        except KubeError:
            return False
        return True

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stopping():
            time.sleep(0.1)

    def _follow(self, kind: Kind, resource: Resource) -> None:
        for event in follow(self._cluster, resource, stopping=self._stopping):
            if event.type == SYNCED:
                self._waiting.discard(kind)
                self.blocked.pop(kind, None)
                self.problems.pop(kind, None)
                self.pending.note_all()
            elif event.object is not None:
                self._take(event.type, event.object)

    def _forget(self, kind: Kind) -> None:
        """A kind that is no longer served has no objects."""
        self.resources.pop(kind, None)
        with self._lock:
            for part in (self._wide, *self._objects.values()):
                for key in [key for key in part if key[:2] == kind]:
                    del part[key]

    def _take(self, what: str, one: KubeObject, tell: bool = True) -> None:
        now = None if what == DELETED else _seen(one)
        key = one.key
        with self._lock:
            part = self._objects.setdefault(self._part_of(key), {})
            before = part.get(key)
            if now is not None and before is not None and _older(now, before):
                return
            if now is None:
                part.pop(key, None)
            else:
                part[key] = now
            if not part:
                del self._objects[self._part_of(key)]
            reached = [self._reach(seen) for seen in (before, now) if seen is not None]
            if now is not None and reached[-1] != ():
                self._wide[key] = now
            else:
                self._wide.pop(key, None)
        if tell and (
            before is None or now is None or before.object.content != now.object.content or before.ours != now.ours
        ):
            self._tell(key, reached)

    def _tell(self, key: Key, reached: Iterable[Iterable[str] | None]) -> None:
        # What is listed at the start is no change that somebody waits for.
        urgent = key[0] in (ACCESS, SPECS, SPLIT) and Kind(*key[:2]) not in self._waiting
        self.pending.note(self._part_of(key), urgent=urgent)
        for parts in reached:
            if parts is None:
                self.pending.note_all()
            else:
                for part in parts:
                    self.pending.note(part)


def _older(now: Seen, before: Seen) -> bool:
    """Whether a watch tells what a write of ours already knows better. Versions of one object may be compared as
    numbers since Kubernetes 1.35; before that it holds for etcd in practice.
    """
    same = now.object.metadata.get("uid") == before.object.metadata.get("uid")
    return same and now.version.isdigit() and before.version.isdigit() and int(now.version) < int(before.version)


def _seen(one: KubeObject) -> Seen:
    meta = {
        name: value
        for name, value in one.metadata.items()
        if name in ("name", "namespace", "uid", "labels", "annotations", "ownerReferences", "generation",
                    "creationTimestamp")
    }  # fmt: skip
    if isinstance(annotations := meta.get("annotations"), dict):
        meta["annotations"] = {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
    managers = mappings(one.metadata.get("managedFields"))
    ours = any(entry.get("manager") == MANAGER and entry.get("operation") == "Apply" for entry in managers)
    content = {"apiVersion": one.api_version, "kind": one.kind, "metadata": meta}
    content |= {name: one.content[name] for name in ("spec", "matches", "specs", "sources", "destination")
                if name in one.content}  # fmt: skip
    if one.kind == "Pod" and not one.group:
        content["spec"] = {"serviceAccountName": mapping(one.content.get("spec")).get("serviceAccountName")}
        meta["labels"] = {name: value for name, value in one.labels.items() if name not in _PASSING_LABELS}
        meta.pop("annotations", None)
    elif one.group == "apps":
        template = mapping(mapping(one.content.get("spec")).get("template"))
        account = {"serviceAccountName": mapping(template.get("spec")).get("serviceAccountName")}
        labels = {"labels": dict(mapping(mapping(template.get("metadata")).get("labels")))}
        content["spec"] = {"template": {"metadata": labels, "spec": account}}
        meta.pop("generation", None)
        meta.pop("annotations", None)
    elif written := _written_as(one, managers):
        content["writtenAs"] = written
    version = text_of(one.metadata.get("resourceVersion"))
    return Seen(
        KubeObject(content), ours, version, tuple(mappings(mapping(one.content.get("status")).get("conditions")))
    )


def _written_as(one: KubeObject, managers: list[dict[str, Any]]) -> str:
    """In which version an object of the interface was last written: a CRD without a conversion webhook gives out what
    was written under whatever version is asked for.
    """
    if not one.group.endswith("smi-spec.io"):
        return ""
    entries = [entry for entry in managers if entry.get("subresource") != "status" and entry.get("manager") != MANAGER]
    entries.sort(key=lambda entry: text_of(entry.get("time")))
    return text_of(entries[-1].get("apiVersion")) if entries else ""
