"""Our client against the stand-in: list, get, apply, delete, and what refuses."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.kube import ApiError, Cluster, ConnectionFailedError, KubeError
from tests.kube.apiserver import ApiServer


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_long_list_comes_in_pages_from_the_cache(api: ApiServer) -> None:
    for number in range(1_100):
        api.put(config_map(f"c{number:04}"))
    cluster = api.cluster()
    resource = cluster.resource("ConfigMap")
    api.api.seen.clear()
    listing = cluster.list(resource)
    assert len(listing.objects) == 1_100
    assert listing.objects[0].kind == "ConfigMap"
    asked = [query for _, _, query in api.api.seen]
    assert [query.get("limit") for query in asked] == ["500"] * 3
    assert [query.get("resourceVersion") for query in asked] == ["0", None, None]
    assert listing.resource_version == str(api.store.revision)


def test_selectors(api: ApiServer) -> None:
    for name, label in (("a", "x"), ("b", "y")):
        api.put(config_map(name) | {"metadata": {"name": name, "labels": {"app": label}}})
    cluster = api.cluster()
    resource = cluster.resource("ConfigMap")
    assert [one.name for one in cluster.list(resource, labels="app=y").objects] == ["b"]
    assert [one.name for one in cluster.list(resource, fields="metadata.name=a").objects] == ["a"]
    assert cluster.list(resource, "kube-system").objects == []


def test_apply_twice_owns_and_drops_fields(api: ApiServer) -> None:
    cluster = api.cluster()
    cluster.apply(config_map("c", a="1", b="2"))
    stored = cluster.apply(config_map("c", a="3"))
    assert stored.content["data"] == {"a": "3"}
    with pytest.raises(ApiError, match="pilothouse") as refused:
        cluster.apply(config_map("c", a="4"), manager="other")
    assert refused.value.status == 409
    assert cluster.apply(config_map("c", a="4"), manager="other", force=True).content["data"]["a"] == "4"


def test_replace_sees_a_change_in_between(api: ApiServer) -> None:
    cluster = api.cluster()
    first = cluster.create(config_map("c", a="1"))
    resource = cluster.resource("ConfigMap")
    cluster.patch(resource, "c", {"data": {"a": "2"}})
    with pytest.raises(ApiError) as refused:
        cluster.replace(first.content | {"data": {"a": "3"}})
    assert refused.value.reason == "Conflict"


def test_status_is_a_subresource(api: ApiServer) -> None:
    cluster = api.cluster()
    cluster.create(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 1},
         "status": {"replicas": 9}}
    )  # fmt: skip
    resource = cluster.resource("Deployment", "apps/v1")
    cluster.patch(resource, "d", {"status": {"readyReplicas": 1}}, subresource="status")
    found = cluster.get(resource, "d")
    assert found
    assert found.status["readyReplicas"] == 1
    assert found.metadata["generation"] == 1


def test_delete_and_what_is_not_there(api: ApiServer) -> None:
    cluster = api.cluster()
    resource = cluster.resource("ConfigMap")
    assert not cluster.delete(resource, "c")
    cluster.create(config_map("c"))
    assert cluster.delete(resource, "c")
    assert cluster.get(resource, "c") is None
    with pytest.raises(KubeError, match="does not serve"):
        cluster.resource("Nothing")


def test_a_broken_group_hides_no_other(api: ApiServer) -> None:
    api.api.refused["/apis/batch/v1"] = 503
    kinds = {one.kind for one in api.cluster().resources()}
    assert "CronJob" not in kinds
    assert {"Pod", "Deployment"} <= kinds


def test_nobody_answers() -> None:
    import httpx

    with Cluster(httpx.Client(base_url="http://127.0.0.1:9")) as cluster, pytest.raises(ConnectionFailedError):
        cluster.version()
