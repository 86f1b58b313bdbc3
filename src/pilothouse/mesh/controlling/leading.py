"""One of several controllers writes: a Lease, as Kubernetes' own components elect theirs.

Times are compared by when a change was seen here, never by the other's clock. Who could not renew for most of the
lease's duration stops writing before another may begin.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog

from pilothouse.kube import ApiError, Cluster, KubeError
from pilothouse.kube.objects import text_of

log = structlog.get_logger(__name__)
_API = "coordination.k8s.io/v1"


class Leadership:
    """Holds or waits for a Lease; `renew` is to be called every `every` seconds."""

    def __init__(
        self, cluster: Cluster, name: str, identity: str, seconds: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._cluster, self._name, self._identity, self._seconds, self._clock = cluster, name, identity, seconds, clock
        self._renewed = float("-inf")
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = clock()
        self.holder = ""
        self.problem = ""

    @property
    def every(self) -> float:
        """How often to renew."""
        return self._seconds / 5

    @property
    def leading(self) -> bool:
        """Whether we may write: false already some time before somebody else may."""
        return self._clock() - self._renewed < self._seconds * 2 / 3

    def renew(self) -> bool:
        """Take or keep the lease if that is possible; whether we lead now."""
        began = self._clock()
        try:
            if self._try():
                self._renewed = began
                self.holder = self._identity
            self.problem = ""
        except ApiError as error:
            if error.status == 409:
                # Somebody else was quicker.
                self.problem = ""
            else:
                self._said(error)
        except KubeError as error:
            self._said(error)
        return self.leading

    def release(self) -> None:
        """Let another begin at once."""
        if not self.leading:
            return
        self._renewed = float("-inf")
        try:
            lease = self._cluster.get(self._resource(), self._name, self._cluster.namespace)
            if lease is not None and lease.spec.get("holderIdentity") == self._identity:
                spec = {**lease.spec, "holderIdentity": "", "leaseDurationSeconds": 1}
                self._cluster.replace({**lease.content, "spec": spec})
        except KubeError as error:
            log.warning("the lease could not be released; it runs out by itself", reason=str(error))

    def _resource(self) -> Any:
        return self._cluster.resource("Lease", _API)

    def _try(self) -> bool:
        lease = self._cluster.get(self._resource(), self._name, self._cluster.namespace)
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        mine = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "renewTime": now,
        }
        if lease is None:
            meta = {"name": self._name, "namespace": self._cluster.namespace}
            spec = {**mine, "acquireTime": now, "leaseTransitions": 0}
            self._cluster.create({"apiVersion": _API, "kind": "Lease", "metadata": meta, "spec": spec})
            return True
        self.holder = text_of(lease.spec.get("holderIdentity"))
        if self.holder == self._identity:
            self._cluster.replace({**lease.content, "spec": {**lease.spec, **mine}})
            return True
        state = (self.holder, text_of(lease.spec.get("renewTime")))
        if state != self._seen:
            self._seen, self._seen_at = state, self._clock()
        duration = lease.spec.get("leaseDurationSeconds")
        held = float(duration) if isinstance(duration, int | float) else self._seconds
        if self.holder and self._clock() - self._seen_at < held:
            return False
        before = lease.spec.get("leaseTransitions")
        transitions = (before if isinstance(before, int) else 0) + 1
        spec = {**lease.spec, **mine, "acquireTime": now, "leaseTransitions": transitions}
        self._cluster.replace({**lease.content, "spec": spec})
        log.info("leads now", lease=self._name, before=self.holder or "nobody")
        return True

    def _said(self, error: KubeError) -> None:
        if str(error) != self.problem:
            log.warning("the lease could not be renewed", lease=self._name, reason=str(error))
        self.problem = str(error)
