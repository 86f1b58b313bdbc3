"""The shop's cluster: a stand-in API server with the checkout's Deployment, which has a few things that will hurt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.kube.apiserver import ApiServer, start_api_server

_LABELS = {"app": "checkout"}
_CONTAINER = {
    "name": "app",
    "image": "registry.example/checkout:2.0.0",
    "ports": [{"containerPort": 8080}],
    "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}},
}
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "checkout", "namespace": "shop"},
        "spec": {"selector": _LABELS, "ports": [{"port": 80, "targetPort": 8080}]},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "checkout", "namespace": "shop", "labels": _LABELS},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": {"containers": [_CONTAINER]}},
        },
    },
]


def start_cluster(folder: Path) -> ApiServer:
    """A running cluster with the shop in it; its `kubeconfig` is for the server."""
    cluster = start_api_server(folder)
    for one in OBJECTS:
        cluster.put(one)
    return cluster
