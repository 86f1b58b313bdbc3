"""A live cluster watched: objects kept as they change, checked again soon after, findings kept over time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from pilothouse.hazards.commanding import Fix, command
from pilothouse.hazards.fixing import diff
from pilothouse.hazards.gathering import wanted
from pilothouse.hazards.judging import judge
from pilothouse.hazards.model import Finding, Rule, State
from pilothouse.hazards.narrating import Narrator
from pilothouse.hazards.reviewing import review_objects, settle
from pilothouse.hazards.store import FindingStore
from pilothouse.hazards.telemetry import Telemetry, TelemetryError
from pilothouse.kube import ApiError, Cluster, KubeError, KubeObject, follow
from pilothouse.kube.discovering import Resource
from pilothouse.kube.watching import DELETED, SYNCED

log = structlog.get_logger(__name__)

# A change is looked at after it has settled; a check may take at most a tenth of the time; telemetry each minute.
_SETTLE, _SHARE, _TELEMETRY_EVERY, _RETRY = 2.0, 10.0, 60.0, 10.0


class Watcher:
    """Watches a cluster with a thread for each kind; `start` and `close` may be called once."""

    def __init__(
        self,
        connect: Callable[[], Cluster],
        rules: Sequence[Rule],
        store: FindingStore,
        telemetry: Telemetry | None = None,
        narrator: Narrator | None = None,
        settle_seconds: float = _SETTLE,
    ) -> None:
        self._connect, self._rules, self._store = connect, rules, store
        self.telemetry, self._narrator, self._settle = telemetry, narrator, settle_seconds
        self._objects: dict[tuple[str, str, str, str], KubeObject] = {}
        self._fixable: dict[str, tuple[KubeObject, Finding]] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._waiting: set[str] = set()
        self._version = ""
        self._threads: list[threading.Thread] = []
        self.cluster = ""
        self.problems: dict[str, str] = {}
        self.checks = 0
        self.checked = 0

    def start(self) -> None:
        """Begin to watch; a cluster that does not answer yet is waited for."""
        self._spawn("hazards", self._run)

    def close(self) -> None:
        """Stop watching; threads that wait for the API server are left to end with the process."""
        self._stop.set()
        self._changed.set()
        for thread in self._threads[:1]:
            thread.join(timeout=5)

    @property
    def synced(self) -> bool:
        """Whether all that was there has been seen."""
        return bool(self.cluster) and not self._waiting

    def state(self) -> dict[str, Any]:
        """For people and tests: the cluster, whether it is synced, what may not be read."""
        with self._lock:
            count = len(self._objects)
        return {
            "cluster": self.cluster,
            "kubernetes": self._version,
            "synced": self.synced,
            "objects": count,
            "checks": self.checks,
            "problems": [f"{name}: {why}" for name, why in sorted(self.problems.items())],
        }

    @property
    def fixable(self) -> set[str]:
        """Fingerprints of the findings of the last check whose rule knows a fix."""
        return set(self._fixable)

    def fix(self, fingerprint: str) -> Fix | None:
        """The fix of a finding of the last check, in its live object; None when there is none to show."""
        if fingerprint not in self._fixable:
            return None
        source, finding = self._fixable[fingerprint]
        change = diff(source, finding)
        return Fix(str(finding.subject), change, command(source, finding), finding.rule.safe) if change else None

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                cluster = self._connect()
                self._version = cluster.version()
                resources = wanted(cluster)
                break
            except KubeError as error:
                self.problems["cluster"] = str(error)
                log.warning("the cluster cannot be watched yet", reason=str(error))
                self._stop.wait(_RETRY)
        else:
            return
        self.problems.pop("cluster", None)
        self._waiting = {resource.plural for resource in resources}
        self.cluster = cluster.name or "cluster"
        for resource in resources:
            self._spawn(f"watch {resource.plural}", lambda one=resource: self._follow(cluster, one))  # type: ignore[misc]
        if self._narrator:
            self._spawn("watch events", lambda: self._follow_events(cluster))
        self._check_on_change()
        cluster.close()

    def _follow(self, cluster: Cluster, resource: Resource) -> None:
        try:
            for event in follow(cluster, resource, stopping=self._stop.is_set):
                if event.type == SYNCED:
                    self._waiting.discard(resource.plural)
                    self._changed.set()
                elif event.object is not None:
                    self._take(event.type, event.object)
        except ApiError as error:
            self.problems[resource.plural] = str(error)
            self._waiting.discard(resource.plural)
            self._changed.set()
            log.warning("not watched", kind=resource.kind, reason=str(error))
        except Exception as error:
            # A thread that ends silently would leave findings that never change again.
            self.problems[resource.plural] = str(error)
            self._waiting.discard(resource.plural)
            if not self._stop.is_set():
                log.exception("a watch ended", kind=resource.kind)

    def _take(self, kind: str, one: KubeObject) -> None:
        if self._narrator and one.kind == "Node" and kind != DELETED:
            self._narrator.node(one)
        slim = _slim(one)
        with self._lock:
            before = self._objects.pop(slim.key, None)
            if kind != DELETED:
                self._objects[slim.key] = slim
        if before is None or kind == DELETED or before.content != slim.content:
            self._changed.set()

    def _follow_events(self, cluster: Cluster) -> None:
        assert self._narrator
        started = time.time_ns()
        try:
            resource = cluster.resource("Event", "v1")
            for event in follow(cluster, resource, stopping=self._stop.is_set):
                if event.object is not None and event.type != DELETED:
                    self._narrator.event(event.object, started)
        except KubeError as error:
            self.problems["events"] = str(error)
        except Exception:
            if not self._stop.is_set():
                log.exception("events are no longer followed")

    def _check_on_change(self) -> None:
        asked = 0.0
        while not self._stop.is_set():
            due = self.telemetry is not None and time.monotonic() - asked >= _TELEMETRY_EVERY
            if not self._changed.wait(1.0) and not (due and self.checks):
                continue
            self._stop.wait(self._settle)
            if self._stop.is_set() or not self.synced:
                continue
            self._changed.clear()
            began = time.monotonic()
            try:
                self.check()
            except Exception:
                log.exception("the cluster could not be checked")
            asked = time.monotonic()
            self._stop.wait(min(300.0, (asked - began) * _SHARE))

    def check(self) -> None:
        """Check what is known now, and keep what is found."""
        with self._lock:
            objects = list(self._objects.values())
        review = review_objects(objects, self._rules, self._version, live=True)
        if self.telemetry is not None:
            try:
                review.findings += judge(review.findings, self._rules, self.telemetry).findings
                self.problems.pop("telemetry", None)
            except TelemetryError as error:
                self.problems["telemetry"] = str(error)
        settle(review, self._rules)
        # A refuted finding is none; not evaluable ones stay as what the manifest allows.
        kept = [one for one in review.findings if one.state is not State.REFUTED]
        self._store.keep(self.cluster, kept)
        sources = ((one, review.source(one)) for one in kept if one.rule.patch is not None)
        self._fixable = {one.fingerprint: (source, one) for one, source in sources if source is not None}
        self.checks += 1
        self.checked = time.time_ns()


def _slim(one: KubeObject) -> KubeObject:
    """Without what no rule reads and what changes all the time: half of an object in memory is managedFields."""
    content = dict(one.content)
    meta = dict(one.metadata)
    for name in ("managedFields", "resourceVersion", "generation"):
        meta.pop(name, None)
    if isinstance(meta.get("annotations"), dict):
        meta["annotations"] = {
            name: value
            for name, value in meta["annotations"].items()
            if name != "kubectl.kubernetes.io/last-applied-configuration"
        }
    content["metadata"] = meta
    if one.kind == "Node" and isinstance(content.get("status"), dict):
        # Heartbeats are no change.
        rows = content["status"].get("conditions")
        if isinstance(rows, list):
            plain = [{k: v for k, v in row.items() if "Time" not in k} for row in rows if isinstance(row, dict)]
            content["status"] = content["status"] | {"conditions": plain}
    return KubeObject(content)
