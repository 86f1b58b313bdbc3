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

    Each resource has a kind of its own, as those of `metrics.k8s.io` have (`PodMetrics`). The specification lists all
    as `TrafficMetrics`, and kubectl, which goes from the resource to its kind and back, then asks for the one that is
    listed last, whatever it was told. The objects are `TrafficMetrics` as specified, and so is the one that is ours.
    """
    rows: list[dict[str, Any]] = []
    for one in KINDS.values():
        common = {"singularName": "", "namespaced": one.namespaced, "kind": f"{one.kind}TrafficMetrics"}
        rows.append({"name": one.plural, **common, "verbs": ["get", "list"]})
        if one is not SPLITS:
            rows.append({"name": f"{one.plural}/edges", **common, "verbs": ["get", "list"]})
    rows.append(
        {"name": ALL, "singularName": "trafficmetric", "namespaced": True, "kind": "TrafficMetrics",
         "shortNames": ["tm"], "verbs": ["get", "list"]}
    )  # fmt: skip
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{version}", "resources": rows}
