"""A stand-in cluster with the interface's kinds and a mesh's, and a controller on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pilothouse.mesh.controlling import Controller
from pilothouse.mesh.controlling.kinds import WRITTEN
from tests.kube.apiserver import ApiServer, start_api_server

DEPLOY = Path(__file__).parents[3] / "deploy"
_VERSIONS = {"networking.istio.io": "v1", "security.istio.io": "v1", "gateway.networking.k8s.io": "v1",
             "consul.hashicorp.com": "v1alpha1"}  # fmt: skip
_LINKERD = {"Server": "v1beta3", "HTTPRoute": "v1beta3"}


def plural(kind: str) -> str:
    """As the meshes' own definitions have it."""
    name = kind.lower()
    if name.endswith(("s", "y")) and not name.endswith("defaults"):
        return f"{name[:-1]}ies" if name.endswith("y") else name
    return name if name.endswith("defaults") else f"{name}s"


def definition(group: str, kind: str) -> dict[str, Any]:
    """A definition of one of a mesh's kinds, its schema left open."""
    version = _VERSIONS.get(group) or _LINKERD.get(kind, "v1alpha1")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural(kind)}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural(kind)},
                 "versions": [{"name": version, "served": True, "storage": True, "subresources": {"status": {}},
                               "schema": {"openAPIV3Schema": schema}}]},
    }  # fmt: skip


def cluster_with(directory: Path, mesh: str, *, by_kubectl: bool = False) -> ApiServer:
    """The stand-in with the definitions that `deploy/` has and those of a mesh; `by_kubectl` as a user applies them."""
    api = start_api_server(directory)
    api.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pilothouse"}})
    for file in ("crds-smi.yaml", "rbac-mesh.yaml"):
        if by_kubectl:
            applied = api.kubectl("apply", "-f", str(DEPLOY / file))
            assert applied.returncode == 0, applied.stderr
        else:
            create(api, yaml.load_all((DEPLOY / file).read_text(), Loader=yaml.CSafeLoader))
    if mesh:
        install(api, mesh)
    return api


def install(api: ApiServer, mesh: str) -> None:
    """The mesh's own kinds."""
    create(api, (definition(*kind) for kind in WRITTEN[mesh]))


def create(api: ApiServer, contents: Iterable[dict[str, Any]]) -> None:
    """Objects that are not there yet."""
    cluster = api.cluster()
    for content in contents:
        cluster.create(content)


@contextmanager
def controlled(api: ApiServer, mesh: str, identity: str = "one", lease_seconds: float = 3.0) -> Iterator[Controller]:
    """A controller that runs."""
    controller = Controller(api.cluster, mesh, identity=identity, lease_seconds=lease_seconds)
    controller.start()
    try:
        yield controller
    finally:
        controller.close()


def eventually(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What becomes true, or the assertion that fails last."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if (found := what()) or time.monotonic() > deadline:
                assert found, "it did not become true"
                return found
        except (AssertionError, LookupError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def stored(api: ApiServer, kind: str, name: str, namespace: str = "shop") -> dict[str, Any] | None:
    """An object as the cluster has it."""
    for resource in api.store.resources.values():
        if resource.kind == kind and resource.group != "policy.linkerd.io":
            return api.store.get(resource, namespace, name)
    raise LookupError(kind)


def conditions(api: ApiServer, kind: str, name: str, namespace: str = "shop") -> dict[str, dict[str, Any]]:
    """The conditions of an object, by type."""
    found = stored(api, kind, name, namespace) or {}
    return {row["type"]: row for row in (found.get("status") or {}).get("conditions", [])}


def events(api: ApiServer, reason: str) -> list[dict[str, Any]]:
    """Events with this reason."""
    resource = next(one for one in api.store.resources.values() if one.kind == "Event" and not one.group)
    return [one for one in api.store.all(resource) if one.get("reason") == reason]
