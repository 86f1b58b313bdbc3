"""Which object a series is about, by the labels that exporters give."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pilothouse.hazards.model import Subject

_KINDS = {
    "deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet", "cronjob": "CronJob",
    "job_name": "Job", "horizontalpodautoscaler": "HorizontalPodAutoscaler", "networkpolicy": "NetworkPolicy",
    "poddisruptionbudget": "PodDisruptionBudget", "persistentvolumeclaim": "PersistentVolumeClaim",
    "resourcequota": "ResourceQuota",
}  # fmt: skip
# Prometheus writes `exported_` before a label of the metric that the scraped target has too: then that one is meant.
_NAMESPACES = ("exported_namespace", "namespace", "source_workload_namespace", "destination_workload_namespace")
_OWNERS = ("created_by_name", "owner_name", "source_workload", "destination_workload", "service_name")
_SERVICES = ("exported_service", "service")
_HASH = re.compile(r"(?:-[a-z0-9]{4,10}){0,2}(?:-\d+)?")


def about(subject: Subject, labels: Mapping[str, str]) -> bool:
    """Whether a series may be about a subject. A series that names no object (a sum over the cluster) is about all."""
    namespace = next((labels[name] for name in _NAMESPACES if labels.get(name)), "")
    if namespace and subject.namespace and namespace != subject.namespace:
        return False
    if labels.get("container") and subject.container and labels["container"] != subject.container:
        return False
    for label, kind in _KINDS.items():
        if labels.get(label):
            return labels[label] == subject.name and (kind == subject.kind or subject.kind not in _KINDS.values())
    if labels.get("pod"):
        return made_by(labels["pod"], subject.name)
    if owner := next((labels[name] for name in _OWNERS if labels.get(name)), ""):
        return made_by(owner, subject.name)
    if service := next((labels[name] for name in _SERVICES if labels.get(name)), ""):
        return made_by(service, subject.name)
    if subject.kind == "Node":
        return subject.name in (labels.get("node"), labels.get("instance", "").partition(":")[0])
    return True


def made_by(pod: str, workload: str) -> bool:
    """Whether a pod's (or ReplicaSet's) name is that of a workload followed by what controllers append."""
    return pod.startswith(workload) and bool(_HASH.fullmatch(pod[len(workload) :]))


def subject_of(labels: Mapping[str, str]) -> Subject:
    """What a series is about when no manifest is known."""
    namespace = next((labels[name] for name in _NAMESPACES if labels.get(name)), "")
    for label, kind in _KINDS.items():
        if labels.get(label):
            return Subject(kind, namespace, labels[label], labels.get("container", ""))
    if labels.get("pod"):
        return Subject("Pod", namespace, labels["pod"], labels.get("container", ""))
    for name, kind in (("created_by_name", labels.get("created_by_kind", "Workload")), ("service", "Service")):
        if labels.get(name):
            return Subject(kind, namespace, labels[name])
    for name in ("node", "instance"):
        if labels.get(name):
            return Subject("Node", "", labels[name])
    return Subject("Namespace", "", namespace) if namespace else Subject()
