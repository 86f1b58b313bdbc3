"""Previews on Kubernetes, against an API server that real clients talk to; what controllers would do, the test does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.forges.local import House, LocalForge
from pilothouse.delivery.previews.namespaced import NamespaceStarter, namespace_of
from pilothouse.delivery.previews.preview import Preview
from pilothouse.delivery.previews.serving import PreviewServer
from tests.kube.apiserver import ApiServer, start_api_server

SHOP, NAMESPACE = "acme/shop", "preview-acme-shop-1"
PROJECT = "preview: {{manifests: k8s, service: shop, image: 'registry/acme/shop:{{commit}}', memory: 1Gi{more}}}\n"
MANIFESTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: production}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers: [{name: shop, image: "registry/acme/shop:1.0.0"}, {name: proxy, image: "registry/proxy:2"}]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
"""


@dataclass
class Shop:
    """A forge with a repository, a cluster, and the previews between them."""

    house: House
    place: Path
    api: ApiServer
    previews: PreviewServer

    @property
    def forge(self) -> LocalForge:
        return LocalForge.as_pilothouse(self.house)

    def pull(self, manifests: str = MANIFESTS, more: str = "") -> int:
        acme = LocalForge(self.house, self.house.bearer("acme"))
        files: dict[str, bytes | None] = {
            "k8s/shop.yaml": manifests.encode(), ".pilothouse.yaml": PROJECT.format(more=more).encode(),
        }  # fmt: skip
        acme.commit_files(SHOP, "change", "feat: change", files)
        number = acme.create_pull_request(SHOP, "change", "main", "feat: change").number
        self.previews.look(SHOP, number)
        return number

    def until(self, state: str, holds: Callable[[Preview], bool] = lambda _: True) -> Preview:
        deadline = time.monotonic() + 90
        while True:
            found = self.previews.store.of_pull(SHOP, 1)
            if found is not None and found.state == state and holds(found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def object(self, kind: str, name: str) -> dict[str, Any] | None:
        cluster = self.api.cluster()
        found = cluster.get(cluster.resource(kind), name, NAMESPACE)
        return None if found is None else found.content

    def available(self) -> None:
        """As the Deployment's controller would say it."""
        cluster = self.api.cluster()
        resource = cluster.resource("Deployment")
        deadline = time.monotonic() + 90
        while (found := cluster.get(resource, "shop", NAMESPACE)) is None:
            assert time.monotonic() < deadline, self.previews.store.of_pull(SHOP, 1)
            time.sleep(0.05)
        generation = found.metadata.get("generation", 1)
        status = {"status": {"availableReplicas": 1, "observedGeneration": generation}}
        cluster.patch(resource, "shop", status, NAMESPACE, "status")


def previews(house: House, place: Path, api: ApiServer) -> PreviewServer:
    forge = LocalForge.as_pilothouse(house)
    starter = NamespaceStarter(lambda _: forge, api.cluster(), "previews.example.org")
    return PreviewServer(lambda _: forge, f"sqlite:///{place}/control.db", place / "data", starter)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    house = House(tmp_path / "forge", f"sqlite:///{tmp_path / 'control.db'}")
    house.open()
    house.people.add("acme", "Acme", "acme@example.org")
    acme = LocalForge(house, house.bearer("acme"))
    acme.create_repository(SHOP)
    acme.allow(SHOP, "pilothouse", "write")
    acme.commit_files(SHOP, "main", "feat: begin", {"README": b"shop\n"})
    api = start_api_server(tmp_path)
    made = Shop(house, tmp_path, api, previews(house, tmp_path, api))
    made.previews.start()
    yield made
    made.previews.close()
    api.stop()
    house.close()


def test_a_namespace_lives_with_its_pull_request(shop: Shop) -> None:
    number = shop.pull()
    shop.available()
    ready = shop.until("ready")
    assert ready.place == NAMESPACE
    assert ready.url == "http://acme-shop-1.previews.example.org/"
    deployment = shop.object("Deployment", "shop")
    assert deployment is not None
    images = [one["image"] for one in deployment["spec"]["template"]["spec"]["containers"]]
    assert images == [f"registry/acme/shop:{ready.commit}", "registry/proxy:2"]
    namespace = shop.object("Namespace", NAMESPACE)
    assert namespace is not None
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    quota = shop.object("ResourceQuota", "preview")
    assert quota is not None
    assert quota["spec"]["hard"]["limits.memory"] == "1024Mi"
    assert shop.object("NetworkPolicy", "preview") is not None
    deadline = time.monotonic() + 60
    while f"in namespace `{NAMESPACE}`" not in shop.forge.comments(SHOP, number)[0].body:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    LocalForge(shop.house, shop.house.bearer("acme")).close(SHOP, number)
    shop.previews.look(SHOP, number)
    shop.until("stopped")
    assert shop.object("Namespace", NAMESPACE) is None


@pytest.mark.parametrize(
    ("manifests", "said"),
    [
        ("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: x}\n", "may not bring"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n", "may not bring a Namespace"),
        ("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x}\n", "may not bring a DaemonSet"),
        ("kind: [\n", "shop.yaml:"),
    ],
)
def test_what_a_preview_may_not_bring(shop: Shop, manifests: str, said: str) -> None:
    shop.pull(manifests)
    assert said in shop.until("failed").reason
    assert shop.object("Namespace", NAMESPACE) is None


def test_an_image_that_is_not_there_ends_it(shop: Shop) -> None:
    shop.pull()
    shop.until("starting", lambda one: bool(one.place))
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}, "name": "shop"}
    shop.api.put(
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop-1", "namespace": NAMESPACE},
            "status": {"phase": "Pending", "containerStatuses": [waiting]},
        }
    )  # fmt: skip
    assert shop.until("failed").reason == "shop-1: ImagePullBackOff"


def test_a_restart_clears_away_what_is_over(shop: Shop) -> None:
    number = shop.pull()
    shop.available()
    ready = shop.until("ready")
    shop.previews.close()
    # As if the process had been killed instead: the namespace is there still.
    labels = {"pilothouse.dev/preview": str(ready.id)}
    shop.api.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    shop.api.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine", "labels": {"team": "web"}}})
    shop.api.put(
        {"apiVersion": "v1", "kind": "Namespace",
         "metadata": {"name": "preview-old-1", "labels": {"pilothouse.dev/preview": "4711"}}}
    )  # fmt: skip
    # It was closed while nobody looked.
    LocalForge(shop.house, shop.house.bearer("acme")).close(SHOP, number)
    shop.previews = previews(shop.house, shop.place, shop.api)
    shop.previews.start()
    shop.until("stopped")
    deadline = time.monotonic() + 60
    while shop.object("Namespace", NAMESPACE) or shop.object("Namespace", "preview-old-1"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert shop.object("Namespace", "mine") is not None


def test_names_are_names() -> None:
    long = namespace_of(Preview(1, "Some_Group/sub.group/" + "x" * 80, 12345, "a" * 40))
    assert len(long) <= 63
    assert long.startswith("preview-some-group-sub-group-")
    assert long.endswith("-12345")
