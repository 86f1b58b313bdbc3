"""The controller against the stand-in API server, with kubectl as the user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.mesh.controlling import Controller
from tests.kube.apiserver import ApiServer
from tests.mesh.controlling.cluster import cluster_with, conditions, controlled, events, eventually, install, stored
from tests.mesh.test_api import SHOP


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A cluster with Istio's kinds and a shop."""
    running = cluster_with(tmp_path_factory.mktemp("cluster"), "istio", by_kubectl=True)
    apply(running, SHOP)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def controller(api: ApiServer) -> Iterator[Controller]:
    """Istio's controller, leading."""
    with controlled(api, "istio") as running:
        eventually(lambda: stored(api, "VirtualService", "smi-checkout"))
        yield running


def apply(api: ApiServer, text: str) -> None:
    applied = api.kubectl("apply", "-f", "-", stdin=text)
    assert applied.returncode == 0, applied.stderr


def kubectl(api: ApiServer, *arguments: str) -> str:
    done = api.kubectl(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def weights(api: ApiServer) -> list[int]:
    virtual = stored(api, "VirtualService", "smi-checkout")
    assert virtual
    return [route["weight"] for route in virtual["spec"]["http"][0]["route"]]


def split(name: str, service: str, backend: str = "checkout-v1", namespace: str = "shop") -> str:
    return json.dumps({
        "apiVersion": "split.smi-spec.io/v1alpha4", "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"service": service, "backends": [{"service": backend, "weight": 1}]},
    })  # fmt: skip


def test_resources_become_objects_of_the_mesh(api: ApiServer, controller: Controller) -> None:
    assert weights(api) == [90, 10]
    virtual = stored(api, "VirtualService", "smi-checkout")
    assert virtual
    [owner] = virtual["metadata"]["ownerReferences"]
    of = stored(api, "TrafficSplit", "checkout")
    assert of
    assert (owner["kind"], owner["uid"]) == ("TrafficSplit", of["metadata"]["uid"])
    assert virtual["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "pilothouse"
    assert {entry["manager"] for entry in virtual["metadata"]["managedFields"]} == {"pilothouse-mesh"}
    assert eventually(lambda: stored(api, "AuthorizationPolicy", "smi-checkout-v1"))
    assert eventually(lambda: stored(api, "AuthorizationPolicy", "smi-default-deny"))


def test_conditions_say_it(api: ApiServer, controller: Controller) -> None:
    found = eventually(lambda: conditions(api, "TrafficSplit", "checkout"))
    assert {kind: row["status"] for kind, row in found.items()} == dict.fromkeys(
        ("Accepted", "ResolvedRefs", "Programmed", "FullyExpressed"), "True"
    )
    assert found["Programmed"]["observedGeneration"] == 1
    waited = api.kubectl(
        "wait", "-n", "shop", "--for=condition=Programmed", "traffictarget/web-to-checkout", "--timeout=30s"
    )
    assert waited.returncode == 0, waited.stderr


def test_a_change_is_followed_and_what_is_gone_is_pruned(api: ApiServer, controller: Controller) -> None:
    patch = {"spec": {"backends": [{"service": "checkout-v1", "weight": 1}, {"service": "checkout-v2", "weight": 3}]}}
    kubectl(api, "patch", "-n", "shop", "trafficsplit", "checkout", "--type=merge", "-p", json.dumps(patch))
    eventually(lambda: weights(api) == [1, 3])
    eventually(lambda: conditions(api, "TrafficSplit", "checkout")["Programmed"]["observedGeneration"] == 2)
    apply(api, split("pay", "pay"))
    eventually(lambda: stored(api, "VirtualService", "smi-pay"))
    kubectl(api, "delete", "-n", "shop", "trafficsplit", "pay")
    eventually(lambda: stored(api, "VirtualService", "smi-pay") is None)
    assert weights(api) == [1, 3]


def test_drift_is_corrected_and_told(api: ApiServer, controller: Controller) -> None:
    asked = weights(api)
    drifted = {"spec": {"http": [{"route": [{"destination": {"host": "evil"}, "weight": 100}]}]}}
    kubectl(api, "patch", "-n", "shop", "virtualservice", "smi-checkout", "--type=merge", "-p", json.dumps(drifted))
    eventually(lambda: weights(api) == asked)
    eventually(lambda: events(api, "DriftCorrected"))
    kubectl(api, "delete", "-n", "shop", "virtualservice", "smi-checkout")
    eventually(lambda: stored(api, "VirtualService", "smi-checkout"))


def test_an_object_of_a_user_is_left_as_it_is(api: ApiServer, controller: Controller) -> None:
    mine: dict[str, Any] = {
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "smi-cart", "namespace": "shop", "labels": {"app.kubernetes.io/managed-by": "pilothouse"}},
        "spec": {"hosts": ["example.com"], "http": [{"route": [{"destination": {"host": "cart"}}]}]},
    }  # fmt: skip
    apply(api, json.dumps(mine))
    apply(api, split("cart", "cart"))
    found = eventually(lambda: conditions(api, "TrafficSplit", "cart"))
    assert found["Programmed"]["status"] == "False"
    assert "smi-cart is there and is not ours" in found["Programmed"]["message"]
    eventually(lambda: events(api, "Hindered"))
    kept = stored(api, "VirtualService", "smi-cart")
    assert kept
    assert kept["spec"] == mine["spec"]
    # Once the user lets go of it, it is made.
    kubectl(api, "delete", "-n", "shop", "virtualservice", "smi-cart")
    eventually(lambda: conditions(api, "TrafficSplit", "cart")["Programmed"]["status"] == "True")


def test_a_users_object_for_the_same_host_counts(api: ApiServer, controller: Controller) -> None:
    mine: dict[str, Any] = {
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "own", "namespace": "shop"},
        "spec": {"hosts": ["search"], "http": [{"route": [{"destination": {"host": "search"}}]}]},
    }  # fmt: skip
    apply(api, split("search", "search"))
    eventually(lambda: stored(api, "VirtualService", "smi-search"))
    apply(api, json.dumps(mine))
    eventually(lambda: stored(api, "VirtualService", "smi-search") is None)
    eventually(lambda: "already governs" in conditions(api, "TrafficSplit", "search")["Programmed"]["message"])


def test_what_is_wrong_and_what_is_lost_is_said_on_the_resource(api: ApiServer, controller: Controller) -> None:
    kubectl(api, "patch", "-n", "shop", "httproutegroup", "api", "--type=merge", "-p",
            json.dumps({"spec": {"matches": [{"name": "all", "pathRegex": "/api/[0-9]+x"}]}}))  # fmt: skip

    def lost() -> dict[str, Any]:
        return conditions(api, "TrafficTarget", "web-to-checkout")["FullyExpressed"]

    eventually(lambda: lost()["status"] == "False")
    assert lost()["reason"] == "UnsupportedByIstio"
    assert "has no equal among Istio's path globs" in lost()["message"]
    eventually(lambda: events(api, "UnsupportedByIstio"))
    zero = json.loads(split("nothing", "nothing"))
    zero["spec"]["backends"][0]["weight"] = 0
    apply(api, json.dumps(zero))
    eventually(lambda: conditions(api, "TrafficSplit", "nothing")["Accepted"]["status"] == "False")
    apply(api, split("second", "checkout"))
    eventually(lambda: conditions(api, "TrafficSplit", "second")["Accepted"]["reason"] == "Conflicted")


def test_the_state_is_a_source_for_the_page(api: ApiServer, controller: Controller) -> None:
    state = eventually(lambda: controller.state() if controller.state().controller else None)
    assert (state.kind, state.mesh) == ("cluster", "istio")
    assert state.controller["leading"]
    assert state.reading.configuration.services


def test_a_resource_that_cannot_be_read_stops_the_writes(tmp_path: Path) -> None:
    api = cluster_with(tmp_path, "istio")
    try:
        apply(api, split("pay", "pay"))
        with controlled(api, "istio"):
            eventually(lambda: stored(api, "VirtualService", "smi-pay"))
        # The next controller may not list splits: to it that must not look like there being none.
        api.api.refused["/apis/split.smi-spec.io/v1alpha4/trafficsplits"] = 403
        with controlled(api, "istio", "two") as second:
            eventually(lambda: any("TrafficSplit cannot be read" in one for one in second.state().problems))
            assert stored(api, "VirtualService", "smi-pay")
    finally:
        api.stop()


def test_one_of_two_leads_and_the_other_follows(tmp_path: Path) -> None:
    api = cluster_with(tmp_path, "gateway-api")
    try:
        # Long enough that a busy machine keeps it.
        with controlled(api, "gateway-api", "first", 15.0) as first:
            apply(api, split("pay", "pay"))
            eventually(lambda: stored(api, "HTTPRoute", "smi-pay-80"))
            with controlled(api, "gateway-api", "second", 15.0) as second:
                eventually(lambda: (second.state().controller or {}).get("leader") == "first")
                assert not second.state().controller["leading"]  # type: ignore[index]
                first.close()
                apply(api, split("cart", "cart"))
                eventually(lambda: stored(api, "HTTPRoute", "smi-cart-80"))
                eventually(lambda: second.state().controller["leading"])  # type: ignore[index]
    finally:
        api.stop()


def test_a_mesh_that_is_not_there_yet_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # How long a kind that is not served is left alone.
    monkeypatch.setattr("pilothouse.mesh.controlling.watching._AGAIN", 1.0)
    api = cluster_with(tmp_path, "")
    try:
        apply(api, split("pay", "pay"))
        with controlled(api, "consul"):
            eventually(
                lambda: "is consul installed?" in conditions(api, "TrafficSplit", "pay")["Programmed"]["message"]
            )
            install(api, "consul")
            eventually(lambda: stored(api, "ServiceSplitter", "pay"))
            eventually(lambda: conditions(api, "TrafficSplit", "pay")["Programmed"]["status"] == "True")
    finally:
        api.stop()
