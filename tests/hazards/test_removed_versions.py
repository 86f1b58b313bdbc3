"""UPG-001 against Kubernetes' own list of what was removed when.

https://kubernetes.io/docs/reference/using-api/deprecation-guide/: the version from which on an API version is not
served, the API version, its kind, and where to move.
"""

from __future__ import annotations

import pytest

from pilothouse.hazards.checking import check
from pilothouse.hazards.facts.world import World
from pilothouse.hazards.loading import own_rules
from pilothouse.kube.objects import KubeObject

REMOVED = [
    (16, "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"),
    (16, "extensions/v1beta1", "DaemonSet", "apps/v1"), (16, "apps/v1beta2", "DaemonSet", "apps/v1"),
    (16, "extensions/v1beta1", "Deployment", "apps/v1"), (16, "apps/v1beta1", "Deployment", "apps/v1"),
    (16, "apps/v1beta2", "Deployment", "apps/v1"), (16, "apps/v1beta1", "StatefulSet", "apps/v1"),
    (16, "apps/v1beta2", "StatefulSet", "apps/v1"), (16, "extensions/v1beta1", "ReplicaSet", "apps/v1"),
    (16, "apps/v1beta2", "ReplicaSet", "apps/v1"),
    (22, "admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    (22, "admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    (22, "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    (22, "apiregistration.k8s.io/v1beta1", "APIService", "apiregistration.k8s.io/v1"),
    (22, "certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificates.k8s.io/v1"),
    (22, "coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1"),
    (22, "extensions/v1beta1", "Ingress", "networking.k8s.io/v1"),
    (22, "networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1"),
    (22, "networking.k8s.io/v1beta1", "IngressClass", "networking.k8s.io/v1"),
    (22, "rbac.authorization.k8s.io/v1beta1", "ClusterRole", "rbac.authorization.k8s.io/v1"),
    (22, "rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    (22, "rbac.authorization.k8s.io/v1beta1", "Role", "rbac.authorization.k8s.io/v1"),
    (22, "rbac.authorization.k8s.io/v1beta1", "RoleBinding", "rbac.authorization.k8s.io/v1"),
    (22, "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1"),
    (22, "storage.k8s.io/v1beta1", "CSIDriver", "storage.k8s.io/v1"),
    (22, "storage.k8s.io/v1beta1", "CSINode", "storage.k8s.io/v1"),
    (22, "storage.k8s.io/v1beta1", "StorageClass", "storage.k8s.io/v1"),
    (22, "storage.k8s.io/v1beta1", "VolumeAttachment", "storage.k8s.io/v1"),
    (25, "batch/v1beta1", "CronJob", "batch/v1"),
    (25, "discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1"),
    (25, "events.k8s.io/v1beta1", "Event", "events.k8s.io/v1"),
    (25, "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2"),
    (25, "policy/v1beta1", "PodDisruptionBudget", "policy/v1"), (25, "policy/v1beta1", "PodSecurityPolicy", ""),
    (25, "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1"),
    (26, "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
    (26, "flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema", "flowcontrol.apiserver.k8s.io/v1"),
    (27, "storage.k8s.io/v1beta1", "CSIStorageCapacity", "storage.k8s.io/v1"),
    (29, "flowcontrol.apiserver.k8s.io/v1beta2", "PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1"),
    (32, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "flowcontrol.apiserver.k8s.io/v1"),
]  # fmt: skip
RULES = [rule for rule in own_rules() if rule.id == "UPG-001"]


def said(api_version: str, kind: str, minor: int) -> list[str]:
    one = KubeObject({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}})
    return [finding.message for finding in check([one], RULES, World([one], float(minor)))]


@pytest.mark.parametrize(("minor", "api_version", "kind", "instead"), REMOVED)
def test_what_the_guide_says_is_removed(minor: int, api_version: str, kind: str, instead: str) -> None:
    assert said(api_version, kind, minor - 1) == []
    (message,) = said(api_version, kind, minor)
    assert f"not served from Kubernetes 1.{minor} on" in message
    assert message.endswith(f"write {instead}" if instead else "it has no successor")
