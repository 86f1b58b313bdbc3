"""The kinds that have traffic metrics (servicemeshinterface/smi-spec, traffic-metrics v1alpha1)."""

from __future__ import annotations

from typing import NamedTuple

GROUP = "metrics.smi-spec.io"
VERSIONS = ("v1alpha2", "v1alpha1")


class Measured(NamedTuple):
    """A kind as it is asked for, and as references name it."""

    plural: str
    kind: str
    api_version: str
    namespaced: bool = True


SPLITS = Measured("trafficsplits", "TrafficSplit", "split.smi-spec.io/v1alpha4")
KINDS = {
    one.plural: one
    for one in (
        Measured("namespaces", "Namespace", "v1", False),
        Measured("nodes", "Node", "v1", False),
        Measured("pods", "Pod", "v1"),
        Measured("replicationcontrollers", "ReplicationController", "v1"),
        Measured("services", "Service", "v1"),
        Measured("daemonsets", "DaemonSet", "apps/v1"),
        Measured("deployments", "Deployment", "apps/v1"),
        Measured("replicasets", "ReplicaSet", "apps/v1"),
        Measured("statefulsets", "StatefulSet", "apps/v1"),
        Measured("jobs", "Job", "batch/v1"),
        SPLITS,
    )
}
ALL = "trafficmetrics"
"""Not of the specification: what `kubectl get trafficmetrics` lists, the workloads that are Deployments."""
PEERS = ("deployments", "services")
"""What the other end of an edge is where a mesh does not know it as the kind that was asked for."""
