"""Kubernetes discovery: the objects of a role, watched, become target groups.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config
"""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from pilothouse.kube import Cluster, KubeError, follow
from pilothouse.signals.metrics.scraping.group import Group, Update
from pilothouse.signals.metrics.scraping.kubernetes_targets import ROLES, Objects
from pilothouse.signals.metrics.scraping.requesting import Credentials, context

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import KubernetesDiscovery

log = structlog.get_logger(__name__)

_SETTLE = 0.5
_AGAIN_AFTER = 10.0
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


async def watch(settings: KubernetesDiscovery, directory: Path, source: str, update: Update) -> None:
    """Watch until cancelled; `update` gets all groups whenever something changed."""
    watching = _Watching(settings, directory, asyncio.get_running_loop())
    watching.start()
    try:
        while True:
            await watching.changed.wait()
            await asyncio.sleep(_SETTLE)
            watching.changed.clear()
            update(source, watching.groups())
    finally:
        watching.stop()


class _Watching:
    """A thread for each kind and namespace: watches block."""

    def __init__(self, settings: KubernetesDiscovery, directory: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._settings, self._directory, self._loop = settings, directory, loop
        self._objects = Objects()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self.changed = asyncio.Event()

    def start(self) -> None:
        needed = list(ROLES[self._settings.role].needs)
        if self._settings.attach_metadata.node and "Node" not in needed:
            needed.append("Node")
        for kind in needed:
            for namespace in self._namespaces() if kind != "Node" else [""]:
                threading.Thread(
                    target=self._follow_forever, args=(kind, namespace), name=f"watching {kind}", daemon=True
                ).start()

    def stop(self) -> None:
        self._stopped.set()

    def groups(self) -> list[Group]:
        with self._lock:
            return ROLES[self._settings.role].groups(self._objects, self._settings.attach_metadata.node)

    def _namespaces(self) -> list[str]:
        names = list(self._settings.namespaces.names)
        if self._settings.namespaces.own_namespace and _OWN_NAMESPACE.is_file():
            names.append(_OWN_NAMESPACE.read_text().strip())
        return names or [""]

    def _follow_forever(self, kind: str, namespace: str) -> None:
        while not self._stopped.is_set():
            try:
                with self._connected() as cluster:
                    self._follow(cluster, kind, namespace)
            except (KubeError, OSError, httpx.HTTPError) as error:
                log.warning("cannot watch for targets", kind=kind, namespace=namespace, reason=str(error))
            until = time.monotonic() + _AGAIN_AFTER
            while time.monotonic() < until and not self._stopped.is_set():
                time.sleep(0.1)

    def _connected(self) -> Cluster:
        settings = self._settings
        if not settings.api_server:
            return Cluster.connect(kubeconfig=settings.kubeconfig_file)
        client = httpx.Client(
            base_url=settings.api_server,
            auth=Credentials(settings, self._directory),
            verify=context(settings.tls_config, self._directory),
            timeout=30,
        )
        return Cluster(client)

    def _follow(self, cluster: Cluster, kind: str, namespace: str) -> None:
        selected = [one for one in self._settings.selectors if one.role == kind.lower()]
        resource = cluster.resource(kind, _API_VERSIONS.get(kind, "v1"))
        for event in follow(
            cluster,
            resource,
            namespace,
            ",".join(one.label for one in selected if one.label),
            ",".join(one.field for one in selected if one.field),
            stopping=self._stopped.is_set,
        ):
            if event.object is not None:
                content: dict[str, Any] = event.object.content
                with self._lock:
                    self._objects.note(kind, content, gone=event.type == "DELETED")
            if not self._stopped.is_set():
                self._loop.call_soon_threadsafe(self.changed.set)


_API_VERSIONS = {"EndpointSlice": "discovery.k8s.io/v1", "Ingress": "networking.k8s.io/v1"}
