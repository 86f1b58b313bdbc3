"""The objects, their resource versions and the history that watches read."""

from __future__ import annotations

import bisect
import copy
import itertools
import json
import re
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pilothouse.kube.discovering import Resource
from pilothouse.kube.schemas import kinds
from pilothouse.kube.schemas.catalog import versions

VERBS = frozenset({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})
_NOT_LISTED = {"Binding", "TokenReview", "SubjectAccessReview", "SelfSubjectAccessReview", "Eviction"}

Event = tuple[int, str, dict[str, Any]]


@dataclass
class Store:
    """Objects by resource, namespace and name. `history` is how many events a watch may reach back."""

    version: str = ""
    history: int = 10_000
    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)
    objects: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = field(default_factory=dict)
    # By kind, and the kinds in the order of all events: a watch looks at its own only, and history is counted over all.
    events: defaultdict[tuple[str, str], list[Event]] = field(default_factory=lambda: defaultdict(list))
    order: deque[tuple[str, str]] = field(default_factory=deque)
    # What is called when something of a kind changed, from the thread that changes it.
    woken: defaultdict[tuple[str, str], list[Callable[[], object]]] = field(default_factory=lambda: defaultdict(list))
    changed: threading.Condition = field(default_factory=threading.Condition)
    forgotten: int = 0
    preferred: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.version = self.version or versions()[-1]
        self._counter = itertools.count(1)
        self.revision = 0
        for one in kinds():
            there = _number(one.first) <= _number(self.version) <= _number(one.last)
            if there and one.kind not in _NOT_LISTED and "alpha" not in one.version:
                self.register(
                    Resource(one.group, one.version, one.kind, one.plural, one.namespaced, VERBS,
                             frozenset(one.subresources) & {"status", "scale"})
                )  # fmt: skip

    def register(self, resource: Resource) -> None:
        """Serve a kind; versions of one kind share their objects."""
        self.resources[f"{resource.group}/{resource.version}", resource.plural] = resource
        self.objects.setdefault(_kind(resource), {})
        best = self.preferred.get(resource.group)
        if best is None or _stability(resource.version) > _stability(best):
            self.preferred[resource.group] = resource.version

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self.resources.get((f"{group}/{version}", plural))

    def all(self, resource: Resource) -> list[dict[str, Any]]:
        return [value for _, value in sorted(self.objects[_kind(resource)].items())]

    def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        return self.objects[_kind(resource)].get((namespace, name))

    def put(self, resource: Resource, namespace: str, content: dict[str, Any]) -> dict[str, Any]:
        """Store an object as its next revision, and tell the watches; unchanged content makes no revision."""
        with self.changed:
            meta = content.setdefault("metadata", {})
            place = self.objects[_kind(resource)]
            before = place.get((namespace, meta["name"]))
            content |= {"apiVersion": resource.api_version, "kind": resource.kind}
            if resource.namespaced:
                meta["namespace"] = namespace
            if before is not None:
                meta |= {key: before["metadata"][key] for key in ("uid", "creationTimestamp")}
            meta.setdefault("uid", str(uuid.uuid4()))
            meta.setdefault("creationTimestamp", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
            if before is not None:
                meta["resourceVersion"] = before["metadata"]["resourceVersion"]
                if before == content:
                    return content
                if before.get("spec") != content.get("spec"):
                    meta["generation"] = int(before["metadata"].get("generation", 1)) + 1
            else:
                meta["generation"] = 1
            if meta.get("deletionTimestamp") and not meta.get("finalizers"):
                return self._gone(resource, namespace, content)
            self.revision = next(self._counter)
            meta["resourceVersion"] = str(self.revision)
            place[namespace, meta["name"]] = content
            self._tell(resource, "ADDED" if before is None else "MODIFIED", content)
            return content

    def delete(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        """Remove an object, or mark it when it has finalizers."""
        with self.changed:
            content = self.get(resource, namespace, name)
            if content is None:
                return None
            if content["metadata"].get("finalizers"):
                marked = copy.deepcopy(content)
                marked["metadata"].setdefault("deletionTimestamp", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
                return self.put(resource, namespace, marked)
            return self._gone(resource, namespace, copy.deepcopy(content))

    def forget(self) -> None:
        """Compaction: a watch from before now gets 410 Gone."""
        with self.changed:
            self.events.clear()
            self.order.clear()
            self.forgotten = self.revision

    def _gone(self, resource: Resource, namespace: str, content: dict[str, Any]) -> dict[str, Any]:
        self.revision = next(self._counter)
        content["metadata"]["resourceVersion"] = str(self.revision)
        self.objects[_kind(resource)].pop((namespace, content["metadata"]["name"]), None)
        self._tell(resource, "DELETED", content)
        return content

    def _tell(self, resource: Resource, kind: str, content: dict[str, Any]) -> None:
        where = _kind(resource)
        # A copy, several times faster than `deepcopy`: what is stored is JSON.
        self.events[where].append((self.revision, kind, json.loads(json.dumps(content))))
        self.order.append(where)
        if len(self.order) > self.history:
            self.forgotten = self.events[self.order.popleft()].pop(0)[0]
        self.changed.notify_all()
        for wake in list(self.woken[where]):
            wake()

    def since(self, resource: Resource, revision: int) -> list[Event]:
        """The events of a kind after a revision."""
        events = self.events[_kind(resource)]
        return events[bisect.bisect_right(events, revision, key=lambda event: event[0]) :]

    def on_change(self, resource: Resource, wake: Callable[[], object]) -> Callable[[], None]:
        """Call `wake` at each change of a kind, until what is returned is called."""
        waiting = self.woken[_kind(resource)]
        waiting.append(wake)
        return lambda: waiting.remove(wake)


def _stability(version: str) -> tuple[int, int]:
    """Which of a group's versions is preferred: stable ones first, of those that are not the highest."""
    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if not found:
        return (0, 0)
    rank = {"alpha": 1, "beta": 2, None: 3}[found[2]]
    # Among stable ones the first that is told of stays: which a server prefers is its own to say.
    return (rank, int(found[3] or 0) if rank < 3 else 0)


def _kind(resource: Resource) -> tuple[str, str]:
    # Events live in two groups, and are the same objects.
    return ("", "Event") if resource.kind == "Event" else (resource.group, resource.kind)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
