"""The Kubernetes API: objects, manifests from any source, and a client that lists, watches, applies.

Objects are what the API server or a YAML file says, as plain dictionaries (`KubeObject.content`), not typed classes:
custom resources, fields of other versions and wrong values must survive, since finding them is what the rooms above do.
For the same reason the client is httpx and this room, and no client library that decodes into its own classes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.kube.cluster import Cluster, Listing
    from pilothouse.kube.discovering import Resource
    from pilothouse.kube.errors import ApiError, ConnectionFailedError, KubeError, RenderingError
    from pilothouse.kube.objects import KubeObject, Place
    from pilothouse.kube.parsing import Problem, parse
    from pilothouse.kube.sources import Manifests, read
    from pilothouse.kube.watching import WatchEvent, follow

__all__ = [
    "ApiError",
    "Cluster",
    "ConnectionFailedError",
    "KubeError",
    "KubeObject",
    "Listing",
    "Manifests",
    "Place",
    "Problem",
    "RenderingError",
    "Resource",
    "WatchEvent",
    "follow",
    "parse",
    "read",
]

_HOMES = {
    "Cluster": "cluster",
    "Listing": "cluster",
    "Resource": "discovering",
    "ApiError": "errors",
    "ConnectionFailedError": "errors",
    "KubeError": "errors",
    "RenderingError": "errors",
    "KubeObject": "objects",
    "Place": "objects",
    "Problem": "parsing",
    "parse": "parsing",
    "Manifests": "sources",
    "read": "sources",
    "WatchEvent": "watching",
    "follow": "watching",
}


def __getattr__(name: str) -> Any:
    # Who needs only the shape of an object does not import the client.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
