"""Discovery and OpenAPI: what the server serves, as kubectl and client libraries ask for it."""

from __future__ import annotations

from typing import Any

from pilothouse.kube.discovering import Resource
from tests.kube.apiserver.store import Store


def core() -> dict[str, Any]:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(store: Store) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for one in store.resources.values():
        versions = found.setdefault(one.group, [])
        if one.group and one.version not in versions:
            versions.append(one.version)
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(store, group, versions) for group, versions in sorted(found.items()) if group],
    }


def group(store: Store, name: str) -> dict[str, Any] | None:
    """One group, or None when it is not served."""
    found = list(dict.fromkeys(one.version for one in store.resources.values() if one.group == name))
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(store, name, found)} if found else None


def _group(store: Store, group: str, versions: list[str]) -> dict[str, Any]:
    rows = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    best = store.preferred[group]
    return {
        "name": group,
        "versions": sorted(rows, key=lambda row: row["version"] != best),
        "preferredVersion": {"groupVersion": f"{group}/{best}", "version": best},
    }


def resources(store: Store, group: str, version: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = []
    for one in store.resources.values():
        if (one.group, one.version) != (group, version):
            continue
        rows.append(
            {"name": one.plural, "singularName": one.kind.lower(), "namespaced": one.namespaced, "kind": one.kind,
             "verbs": sorted(one.verbs), "shortNames": _SHORT.get(one.kind, [])}
        )  # fmt: skip
        rows += [
            {"name": f"{one.plural}/{below}", "singularName": "", "namespaced": one.namespaced,
             "kind": "Scale" if below == "scale" else one.kind, "verbs": ["get", "patch", "update"]}
            for below in sorted(one.subresources)
        ]  # fmt: skip
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": rows} if rows else None


_SHORT = {
    "Pod": ["po"], "Service": ["svc"], "Deployment": ["deploy"], "DaemonSet": ["ds"], "StatefulSet": ["sts"],
    "Namespace": ["ns"], "ConfigMap": ["cm"], "Node": ["no"], "CronJob": ["cj"], "PodDisruptionBudget": ["pdb"],
    "HorizontalPodAutoscaler": ["hpa"], "Ingress": ["ing"], "ServiceAccount": ["sa"], "Event": ["ev"],
    "CustomResourceDefinition": ["crd"], "PersistentVolumeClaim": ["pvc"], "NetworkPolicy": ["netpol"],
}  # fmt: skip


def openapi_index(store: Store) -> dict[str, Any]:
    paths = {_root(one): {"serverRelativeURL": f"/openapi/v3/{_root(one)}?hash=1"} for one in store.resources.values()}
    return {"paths": paths}


def _root(one: Resource) -> str:
    return f"apis/{one.group}/{one.version}" if one.group else f"api/{one.version}"


def openapi(store: Store, root: str) -> dict[str, Any]:
    """What kubectl looks for: that PATCH takes `fieldValidation`, so that it leaves validation to the server."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for one in store.resources.values():
        if _root(one) != root:
            continue
        kind = {"group": one.group, "version": one.version, "kind": one.kind}
        verb = {
            "x-kubernetes-group-version-kind": kind,
            "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _PARAMETERS],
            "responses": {},
        }
        paths[one.path("{namespace}" if one.namespaced else "", "{name}")] = {"patch": verb, "get": verb}
        schemas[f"{one.group}.{one.version}.{one.kind}"] = {
            "type": "object", "x-kubernetes-group-version-kind": [kind], "x-kubernetes-preserve-unknown-fields": True,
        }  # fmt: skip
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": f"v{store.version}.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")
