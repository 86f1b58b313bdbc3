"""The rights in `deploy/rbac-mesh.yaml` are those that the controller uses: all of them, and none beside."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pilothouse.mesh.controlling.kinds import WRITTEN
from tests.kube.apiserver import ApiServer
from tests.mesh.controlling.cluster import DEPLOY, cluster_with, conditions, controlled, eventually, plural
from tests.mesh.test_api import SHOP

Right = tuple[str, str, str]


def granted(*roles: str) -> set[Right]:
    """Verb, group and resource of each right of some roles."""
    found = set()
    for role in yaml.load_all((DEPLOY / "rbac-mesh.yaml").read_text(), Loader=yaml.CSafeLoader):
        if role["kind"] in ("Role", "ClusterRole") and role["metadata"]["name"] in roles:
            for rule in role["rules"]:
                found |= {(v, g, r) for v in rule["verbs"] for g in rule["apiGroups"] for r in rule["resources"]}
    return found


def used(api: ApiServer) -> set[Right]:
    """What was asked of the API server, as its authorizer would see it; discovery is everybody's."""
    found = set()
    for method, path, query in api.api.seen:
        parts = path.strip("/").split("/")
        if parts[0] == "apis" and len(parts) > 3:
            group, rest = parts[1], parts[3:]
        elif parts[0] == "api" and len(parts) > 2:
            group, rest = "", parts[2:]
        else:
            continue
        if rest[0] == "namespaces" and len(rest) > 2:
            rest = rest[2:]
        resource = "/".join([rest[0], *rest[2:]])
        one = len(rest) > 1
        read = "get" if one else "watch" if query.get("watch") else "list"
        found.add(({"GET": read, "POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}[method],
                   group, resource))  # fmt: skip
    return found


@pytest.mark.parametrize("mesh", WRITTEN)
def test_the_controller_uses_no_right_that_it_is_not_given(mesh: str, tmp_path: Path) -> None:
    api = cluster_with(tmp_path, mesh)
    try:
        for content in yaml.load_all(SHOP, Loader=yaml.CSafeLoader):
            api.put(content)
        split = {"apiVersion": "split.smi-spec.io/v1alpha4", "kind": "TrafficSplit",
                 "metadata": {"name": "gone", "namespace": "shop"},
                 "spec": {"service": "web", "backends": [{"service": "v1", "weight": 1}]}}  # fmt: skip
        api.put(split)
        api.api.seen.clear()
        with controlled(api, mesh):
            eventually(lambda: conditions(api, "TrafficSplit", "checkout"))
            eventually(lambda: conditions(api, "TrafficSplit", "gone"))
            resource = api.store.find("split.smi-spec.io", "v1alpha4", "trafficsplits")
            assert resource
            api.store.delete(resource, "shop", "gone")
            eventually(lambda: any(method == "DELETE" for method, _, _ in api.api.seen))
        given = granted("pilothouse-mesh", "pilothouse-mesh-lease", f"pilothouse-mesh-{mesh}")
        assert used(api) - given == set()
        written = {(kind.group, plural(kind.name)) for kind in WRITTEN[mesh]}
        assert {(group, resource) for verb, group, resource in granted(f"pilothouse-mesh-{mesh}")} == written
    finally:
        api.stop()
