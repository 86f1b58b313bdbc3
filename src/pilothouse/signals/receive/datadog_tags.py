"""Datadog's tags: which of them name the speaker.

https://docs.datadoghq.com/getting_started/tagging/unified_service_tagging/
"""

from __future__ import annotations

from collections.abc import Iterable

RESOURCE_OF = {
    "env": "deployment.environment.name", "version": "service.version", "service": "service.name",
    "host": "host.name", "kube_namespace": "k8s.namespace.name", "pod_name": "k8s.pod.name",
    "kube_deployment": "k8s.deployment.name", "kube_container_name": "k8s.container.name",
    "container_id": "container.id", "container_name": "container.name", "kube_cluster_name": "k8s.cluster.name",
    "kube_node": "k8s.node.name",
}  # fmt: skip


def tags_of(texts: Iterable[str]) -> dict[str, str]:
    """Tags by their names. One without a value has the value `true`; one that is said twice has both."""
    tags: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.strip().partition(":")
        if not name:
            continue
        said = value if colon else "true"
        tags[name] = f"{tags[name]},{said}" if name in tags and said not in tags[name].split(",") else said
    return tags


def resource_of(tags: dict[str, str]) -> dict[str, str]:
    """The resource attributes of these tags."""
    resource = {RESOURCE_OF[name]: value for name, value in tags.items() if name in RESOURCE_OF and value}
    resource.setdefault("service.name", "unknown_service")
    return resource
