"""What clients ask first: which versions and resources there are."""

from __future__ import annotations

from typing import Any

from pilothouse.mesh.trafficmetrics.resources import ALL, GROUP, KINDS, SPLITS, VERSIONS


def group() -> dict[str, Any]:
    """The APIGroup."""
    versions = [{"groupVersion": f"{GROUP}/{version}", "version": version} for version in VERSIONS]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": GROUP,
        "versions": versions,
        "preferredVersion": versions[0],
    }


def resources(version: str) -> dict[str, Any]:
    """The APIResourceList of a version.

    All resources are of one kind, and kubectl takes the last that is listed for it whatever it is asked for: that is
    the one of ours. The specification's own are there for other clients and for `kubectl get --raw`.
    """
    rows: list[dict[str, Any]] = []
    for one in KINDS.values():
        common = {"singularName": "", "namespaced": one.namespaced, "kind": "TrafficMetrics"}
        rows.append({"name": one.plural, **common, "verbs": ["get", "list"]})
        if one is not SPLITS:
            rows.append({"name": f"{one.plural}/edges", **common, "verbs": ["get", "list"]})
    rows.append(
        {"name": ALL, "singularName": "trafficmetric", "namespaced": True, "kind": "TrafficMetrics",
         "shortNames": ["tm"], "verbs": ["get", "list"]}
    )  # fmt: skip
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{version}", "resources": rows}
