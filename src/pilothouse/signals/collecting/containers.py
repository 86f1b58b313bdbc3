"""Who wrote a file: the identity of a pod from where its log lies, or of a plain file from its name and host."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from pathlib import Path

# /var/log/pods/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log (kubelet)
_POD = re.compile(r"/(?P<namespace>[^/_]+)_(?P<pod>[^/_]+)_(?P<uid>[^/_]+)/(?P<container>[^/]+)/\d+\.log[^/]*$")
_DEPLOYMENT = re.compile(r"^(.+)-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$")
_STATEFUL = re.compile(r"^(.+)-\d+$")
_DAEMON = re.compile(r"^(.+)-[bcdfghjklmnpqrstvwxz2456789]{5}$")


def of_pod_file(path: Path) -> Mapping[str, str]:
    """The identity that the kubelet writes into the path of a pod's log."""
    found = _POD.search(str(path))
    if not found:
        return of_file(path)
    return of_pod(found["namespace"], found["pod"], found["uid"], found["container"])


def of_pod(
    namespace: str, pod: str, uid: str, container: str, labels: Mapping[str, str] | None = None, node: str = ""
) -> dict[str, str]:
    """A pod's identity; its service is what its labels say, or what its name was made from.

    Sources: OpenTelemetry, "Specify resource attributes using Kubernetes annotations"; Kubernetes' recommended labels.
    """
    given = labels or {}
    name = given.get("app.kubernetes.io/instance") or given.get("app.kubernetes.io/name") or given.get("app")
    found = {
        "service.name": name or workload(pod),
        "service.namespace": namespace,
        "service.instance.id": f"{namespace}.{pod}.{container}",
        "k8s.namespace.name": namespace,
        "k8s.pod.name": pod,
        "k8s.pod.uid": uid,
        "k8s.container.name": container,
    }
    if version := given.get("app.kubernetes.io/version"):
        found["service.version"] = version
    if node:
        found["k8s.node.name"] = node
    return found


def workload(pod: str) -> str:
    """What made a pod of this name, without the hashes and numbers that Kubernetes adds."""
    for form in (_DEPLOYMENT, _STATEFUL, _DAEMON):
        if found := form.match(pod):
            return found[1]
    return pod


def of_file(path: Path) -> Mapping[str, str]:
    """A plain file's identity: its name without what rotation adds, and this host."""
    name = re.sub(r"\.(?:log|txt|out|err)(?:\..*)?$", "", path.name)
    return {"service.name": name or path.name, "host.name": socket.gethostname()}
