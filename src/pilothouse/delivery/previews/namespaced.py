"""A preview on Kubernetes: a namespace of its own, with the repository's manifests in it, and walls around it.

What a pull request brings is applied with the rights of Pilothouse, so that only kinds of the list below are taken, all
of them into the preview's own namespace; Kubernetes' own Pod Security admission (`baseline`) refuses privileged pods, a
quota bounds what they use, and a network policy keeps them to themselves and to DNS.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilothouse.delivery.environments.images import Image
from pilothouse.delivery.previews.local import fetched
from pilothouse.delivery.previews.preview import PreviewError
from pilothouse.kube import ApiError, Cluster, KubeError, KubeObject, read
from pilothouse.kube.objects import dig, mappings

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Forge
    from pilothouse.delivery.previews.preview import Preview
    from pilothouse.delivery.projects.project import PreviewPlan

LABEL = "pilothouse.dev/preview"
_TAKEN = {
    ("", "ConfigMap"), ("", "Secret"), ("", "Service"), ("", "PersistentVolumeClaim"), ("", "ServiceAccount"),
    ("apps", "Deployment"), ("apps", "StatefulSet"), ("batch", "Job"), ("batch", "CronJob"),
    ("networking.k8s.io", "Ingress"), ("autoscaling", "HorizontalPodAutoscaler"), ("policy", "PodDisruptionBudget"),
}  # fmt: skip
_WORKLOADS = ("Deployment", "StatefulSet")
_HOPELESS = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CrashLoopBackOff", "CreateContainerConfigError")
_MOST_OBJECTS = 100


class NamespacedPreview:
    """One that runs in a namespace."""

    def __init__(self, cluster: Cluster, place: str, objects: list[KubeObject], service: str) -> None:
        self._cluster, self._objects, self._service = cluster, objects, service
        self.place, self.port = place, 0
        self.how = "namespace with a quota, a network policy and Pod Security baseline"
        self._said = ""

    @property
    def url(self) -> str:
        """The host of its Ingress; else how to get there."""
        for one in self._objects:
            if one.kind == "Ingress":
                for rule in mappings(one.spec.get("rules")):
                    if host := rule.get("host"):
                        return f"{'https' if one.spec.get('tls') else 'http'}://{host}/"
        return f"kubectl -n {self.place} port-forward service/{self._service} 8080:80" if self._service else ""

    def ready(self) -> bool:
        """Whether all of its workloads are available."""
        found = [self._now(one) for one in self._objects if one.kind in _WORKLOADS]
        return all(one is not None and _available(one.content) for one in found)

    def failed(self) -> str:
        """Why it will never be: images that are not there, containers that end again and again."""
        try:
            pods = self._cluster.list(self._cluster.resource("Pod"), self.place).objects
        except KubeError as error:
            self._said = str(error)
            return ""
        self._said = "\n".join(_told(pods))
        return next((f"{pod.name}: {reason}" for pod in pods for reason in _waiting(pod) if reason in _HOPELESS), "")

    def log(self) -> str:
        """How its pods stand."""
        return self._said

    def stop(self) -> None:
        """Delete the namespace, and with it all that is in it."""
        self._cluster.delete(self._cluster.resource("Namespace"), self.place)

    def _now(self, one: KubeObject) -> KubeObject | None:
        return self._cluster.get(self._cluster.resource(one.kind, one.api_version), one.name, self.place)


class NamespaceStarter:
    """Starts previews in namespaces of a cluster; with a `domain` each gets an Ingress below it."""

    def __init__(self, forge: Callable[[str], Forge], cluster: Cluster, domain: str = "") -> None:
        self._forge, self._cluster, self._domain = forge, cluster, domain

    def start(self, preview: Preview, plan: PreviewPlan, place: Path) -> NamespacedPreview:
        """See `Starter`."""
        if not plan.manifests:
            raise PreviewError("preview.manifests: name the folder with the manifests of a preview on Kubernetes")
        files = place / "files"
        files.mkdir(parents=True, exist_ok=True)
        fetched(self._forge(preview.forge), preview, place / "git", files)
        name = namespace_of(preview)
        objects = prepared(files / plan.manifests, plan, preview, name)
        if self._domain and plan.service:
            objects.append(KubeObject(_ingress(preview, plan.service, name, self._domain)))
        try:
            for content in _walls(preview, plan, name):
                self._cluster.apply(content, force=True)
            for one in objects:
                self._cluster.apply(one.content, force=True)
        except ApiError as error:
            raise PreviewError(f"the cluster refused: {error}") from None
        except KubeError as error:
            raise PreviewError(str(error)) from None
        return NamespacedPreview(self._cluster, name, objects, plan.service)

    def sweep(self, live: Collection[int]) -> None:
        """Delete the namespaces of previews that are over: by the label, which says which they are of."""
        namespaces = self._cluster.resource("Namespace")
        for one in self._cluster.list(namespaces, labels=LABEL).objects:
            key = str(one.labels.get(LABEL, ""))
            if not (key.isdigit() and int(key) in live):
                self._cluster.delete(namespaces, one.name)


def namespace_of(preview: Preview) -> str:
    """A namespace's name for a pull request: at most 63 characters, its number always among them."""
    words = re.sub(r"[^a-z0-9]+", "-", preview.repository.lower()).strip("-")
    return f"preview-{words[:40].strip('-')}-{preview.number}"


def prepared(folder: Path, plan: PreviewPlan, preview: Preview, namespace: str) -> list[KubeObject]:
    """The folder's objects, in the namespace and with the image that was built. Raises `PreviewError`."""
    if not folder.is_dir():
        raise PreviewError(f"preview.manifests: there is no folder {plan.manifests} in this commit")
    found = read([folder])
    if found.problems:
        raise PreviewError(str(found.problems[0]).replace(f"{folder}/", ""))
    if not found.objects or len(found.objects) > _MOST_OBJECTS:
        raise PreviewError(f"preview.manifests: {len(found.objects)} objects are not between 1 and {_MOST_OBJECTS}")
    made = []
    for one in found.objects:
        if (one.group, one.kind) not in _TAKEN:
            raise PreviewError(f"preview.manifests: {one}: a preview may not bring a {one.kind}")
        content = copy.deepcopy(one.content)
        content.setdefault("metadata", {})["namespace"] = namespace
        if plan.image:
            _with_image(content, plan.image.replace("{commit}", preview.commit))
        made.append(KubeObject(content))
    return made


def _with_image(content: dict[str, Any], image: str) -> None:
    name = Image.parse(image).name
    spec = dig(content, "spec", "template", "spec") or dig(content, "spec", "jobTemplate", "spec", "template", "spec")
    for kind in ("containers", "initContainers"):
        for container in mappings(dig(spec, kind)):
            if Image.parse(str(container.get("image", ""))).is_called(name):
                container["image"] = image


def _walls(preview: Preview, plan: PreviewPlan, name: str) -> Iterator[dict[str, Any]]:
    labels = {LABEL: str(preview.id), "pod-security.kubernetes.io/enforce": "baseline"}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    hard = {
        "limits.memory": f"{plan.memory >> 20}Mi", "limits.cpu": f"{int(plan.processors * 1000)}m", "pods": "20",
        "services.loadbalancers": "0", "services.nodeports": "0",
    }  # fmt: skip
    yield _named("v1", "ResourceQuota", name, {"hard": hard})
    share = {"memory": f"{max(plan.memory >> 22, 16)}Mi", "cpu": f"{max(int(plan.processors * 250), 10)}m"}
    yield _named(
        "v1", "LimitRange", name, {"limits": [{"type": "Container", "default": share, "defaultRequest": share}]}
    )
    dns = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    yield _named(
        "networking.k8s.io/v1", "NetworkPolicy", name,
        {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}, dns]},
    )  # fmt: skip


def _named(api_version: str, kind: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "preview", "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _ingress(preview: Preview, service: str, namespace: str, domain: str) -> dict[str, Any]:
    host = f"{namespace.removeprefix('preview-')}.{domain}"
    backend = {"service": {"name": service, "port": {"number": 80}}}
    paths = {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
    return _named("networking.k8s.io/v1", "Ingress", namespace, {"rules": [{"host": host, "http": paths}]})


def _available(content: dict[str, Any]) -> bool:
    wanted = dig(content, "spec", "replicas")
    wanted = 1 if wanted is None else wanted
    status = content.get("status") or {}
    current = (status.get("observedGeneration") or 0) >= (dig(content, "metadata", "generation") or 0)
    return bool(current and int(status.get("availableReplicas") or status.get("readyReplicas") or 0) >= int(wanted))


def _waiting(pod: KubeObject) -> Iterator[str]:
    for kind in ("initContainerStatuses", "containerStatuses"):
        for one in mappings(pod.status.get(kind)):
            if reason := dig(one, "state", "waiting", "reason"):
                yield str(reason)


def _told(pods: list[KubeObject]) -> Iterator[str]:
    for pod in pods:
        yield f"{pod.name}: {pod.status.get('phase', 'unknown')} {' '.join(_waiting(pod))}".strip()
