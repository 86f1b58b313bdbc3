"""What rules want to see of a live cluster, read with as little as possible: lists from the API server's cache, in
pages, each kind once, read-only.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from pilothouse.kube import ApiError, Cluster, KubeObject, Problem
from pilothouse.kube.cluster import served
from pilothouse.kube.discovering import Resource

# API group and kind; secrets are not among them: no rule needs their contents.
KINDS = (
    ("", "Node"), ("", "Namespace"), ("", "Pod"), ("", "Service"), ("", "ConfigMap"), ("", "ServiceAccount"),
    ("", "PersistentVolumeClaim"), ("", "ResourceQuota"), ("", "LimitRange"), ("apps", "Deployment"),
    ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("batch", "Job"), ("batch", "CronJob"),
    ("policy", "PodDisruptionBudget"), ("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject"),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"), ("networking.k8s.io", "NetworkPolicy"),
    ("networking.k8s.io", "Ingress"), ("networking.k8s.io", "IngressClass"), ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "StorageClass"), ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"), ("apiregistration.k8s.io", "APIService"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"), ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"), ("rbac.authorization.k8s.io", "Role"),
    ("networking.istio.io", "VirtualService"), ("networking.istio.io", "Sidecar"),
    ("security.istio.io", "PeerAuthentication"),
)  # fmt: skip


# Each is a request through the API server to a node; fleets have a few kinds of nodes, not thousands.
_MOST_KUBELETS = 50


def wanted(cluster: Cluster) -> list[Resource]:
    """Those of the kinds that the cluster serves."""
    there = {(one.group, one.kind): one for one in served(cluster.resources(), "list")}
    return [there[key] for key in KINDS if key in there]


def gather(
    cluster: Cluster, namespace: str = "", progress: Callable[[str], None] = lambda _: None
) -> tuple[list[KubeObject], list[Problem]]:
    """All objects (of one namespace and the cluster-wide ones, or of all), and what may not be read."""
    objects: list[KubeObject] = []
    problems: list[Problem] = []
    for resource in wanted(cluster):
        progress(f"reading {resource.plural}: {len(objects)} objects so far")
        try:
            objects += cluster.list(resource, namespace if resource.namespaced else "").objects
        except ApiError as error:
            where = f"{cluster.name or 'the cluster'}: {resource.plural}"
            problems.append(Problem(where, 0, 0, f"{error} (rules about them stay silent)"))
    return objects, problems


def kubelets(cluster: Cluster, nodes: list[KubeObject]) -> tuple[list[KubeObject], list[Problem]]:
    """The kubelets' configurations, by each node's configz; equal ones once, named after the first node."""
    found: dict[str, KubeObject] = {}
    for node in nodes[:_MOST_KUBELETS]:
        try:
            content = cluster.request("GET", f"/api/v1/nodes/{node.name}/proxy/configz").get("kubeletconfig")
        except ApiError as error:
            where = f"{cluster.name or 'the cluster'}: kubelet of {node.name}"
            return list(found.values()), [Problem(where, 0, 0, f"{error} (wants get on nodes/proxy)")]
        if isinstance(content, dict):
            key = json.dumps(content, sort_keys=True)
            head = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
            found.setdefault(key, KubeObject(content | head | {"metadata": {"name": node.name}}))
    return list(found.values()), []


def role() -> str:
    """The ClusterRole that a check of a live cluster needs, as YAML."""
    groups: dict[str, list[str]] = {}
    for group, kind in KINDS:
        groups.setdefault(group, []).append(_plural(kind))
    rules = "\n".join(
        f'  - apiGroups: ["{group}"]\n    resources: [{", ".join(sorted(plurals))}]\n    verbs: [get, list, watch]'
        for group, plurals in groups.items()
    )
    return (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: pilothouse-hazards\nrules:\n"
        f'{rules}\n  - apiGroups: ["events.k8s.io"]\n    resources: [events]\n    verbs: [get, list, watch]\n'
        f'  - nonResourceURLs: ["/version", "/api", "/apis", "/api/*", "/apis/*"]\n    verbs: [get]\n'
    )


def _plural(kind: str) -> str:
    lower = kind.lower()
    if lower.endswith(("s", "ss")):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"
