"""The nodes of a live cluster, as far as rules ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, text_of
from pilothouse.kube.quantities import quantity

_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


def nodes(found: Sequence[KubeObject]) -> dict[str, Any]:
    """`count`, the smallest allocatable cpu and memory, distinct zones, and each node's labels."""
    cpus = [quantity(dig(one.status, "allocatable", "cpu")) for one in found]
    memory = [quantity(dig(one.status, "allocatable", "memory")) for one in found]
    return {
        "count": float(len(found)),
        "smallest_cpu": min((value for value in cpus if value), default=0.0),
        "smallest_memory": min((value for value in memory if value), default=0.0),
        "zones": sorted({text_of(one.labels.get(name)) for one in found for name in _ZONES if one.labels.get(name)}),
        "labels": [{key: text_of(value) for key, value in one.labels.items()} for one in found],
    }


def node(one: KubeObject) -> dict[str, Any]:
    """Facts of one node: its conditions that are true, versions, and how much of it pods may have."""
    capacity, allocatable = mapping(one.status.get("capacity")), mapping(one.status.get("allocatable"))
    conditions = {
        text_of(row.get("type")): text_of(row.get("status")) for row in mappings(one.status.get("conditions"))
    }
    total, left = quantity(capacity.get("memory")) or 0.0, quantity(allocatable.get("memory")) or 0.0
    version = text_of(dig(one.status, "nodeInfo", "kubeletVersion")).removeprefix("v").split(".")
    return {
        "conditions": conditions,
        "pressure": sorted(kind for kind, status in conditions.items() if kind != "Ready" and status == "True"),
        "ready": conditions.get("Ready", "True") == "True",
        "reserved": (total - left) / total if total else 1.0,
        "minor": float(version[1]) if len(version) > 1 and version[1].isdigit() else 0.0,
        "runtime": text_of(dig(one.status, "nodeInfo", "containerRuntimeVersion")),
        "largest_image": max((quantity(row.get("sizeBytes")) or 0.0 for row in mappings(one.status.get("images"))),
                             default=0.0),
        "unschedulable": one.spec.get("unschedulable") is True,
    }  # fmt: skip
