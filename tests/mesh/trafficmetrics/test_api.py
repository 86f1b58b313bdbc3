"""TrafficMetrics through the aggregation layer of the stand-in API server, asked by the real kubectl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pilothouse.kube.quantities import quantity
from pilothouse.mesh.sourcing import Files
from pilothouse.mesh.trafficmetrics import api as trafficmetrics
from tests.kube.apiserver import ApiServer, start_api_server
from tests.mesh.measuring import carried
from tests.mesh.measuring.carried import Carried
from tests.mesh.test_api import SHOP
from tests.releases.serving import serving

ROOT = "/apis/metrics.smi-spec.io"


@pytest.fixture(scope="module")
def seen() -> Carried:
    """Istio's metrics of both sides."""
    made = Carried()
    carried.istio(made, "web", "checkout-v1", 90, 9)
    carried.istio(made, "web", "checkout-v2", 10)
    labels = {
        "reporter": "destination", "source_workload": "web", "source_workload_namespace": "shop",
        "destination_workload": "checkout-v1", "destination_workload_namespace": "shop",
        "destination_service_name": "checkout-v1", "destination_service_namespace": "shop",
        "namespace": "shop", "pod": "checkout-v1-0", "response_code": "200",
    }  # fmt: skip
    made.count("istio_requests_total", labels, 81)
    made.durations("istio_request_duration_milliseconds", labels, (0, 0, 0, 81, 0, 0))
    return made


@pytest.fixture(scope="module")
def api(seen: Carried, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The stand-in, which hands the group on to us."""
    directory = tmp_path_factory.mktemp("metrics")
    (directory / "shop.yaml").write_text(SHOP)
    running = start_api_server(directory)
    with serving(trafficmetrics.routes(seen.ask, Files(directory / "shop.yaml"))) as address:
        running.aggregate("metrics.smi-spec.io", address)
        yield running
    running.stop()


def raw(api: ApiServer, path: str) -> Any:
    done = api.kubectl("get", "--raw", f"{ROOT}/{path}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def got(api: ApiServer, path: str) -> httpx.Response:
    return httpx.get(f"{api.url}{ROOT}/{path}", timeout=60)


def values(item: dict[str, Any]) -> dict[str, float]:
    return {row["name"]: float(quantity(row["value"]) or 0) for row in item["metrics"]}


def test_kubectl_prints_a_table(api: ApiServer) -> None:
    done = api.kubectl("get", "trafficmetrics", "-n", "shop")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["NAME", "SUCCESS", "RPS", "P50", "P90", "P99"]
    assert ["checkout-v1", "100.00%", "1.4rps", "38ms", "48ms", "50ms"] in lines
    # A resource without traffic is there too, and says so.
    assert ["web", "-", "0.0rps", "-", "-", "-"] in lines


def test_kubectl_gets_one_as_an_object(api: ApiServer) -> None:
    done = api.kubectl("get", "tm", "checkout-v1", "-n", "shop", "-o", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["kind"], found["apiVersion"]) == ("TrafficMetrics", "metrics.smi-spec.io/v1alpha2")
    assert found["resource"] == {
        "kind": "Deployment", "name": "checkout-v1", "namespace": "shop", "apiVersion": "apps/v1"
    }  # fmt: skip
    assert found["edge"] == {"direction": "from", "side": "server", "resource": {}}
    assert found["window"] == "30s"
    # Half of what was counted in the last minute.
    assert values(found)["success_count"] == 41
    assert 25 < values(found)["p50_response_latency"] < 50
    assert {row.get("unit") for row in found["metrics"]} == {"ms", None}


@pytest.mark.parametrize(
    ("resource", "kind", "name"),
    [
        ("deployments.v1alpha1.metrics.smi-spec.io", "Deployment", "checkout-v1"),
        ("pods.metrics.smi-spec.io", "Pod", "checkout-v1-0"),
        ("trafficsplits.v1alpha1.metrics.smi-spec.io", "TrafficSplit", "checkout"),
        ("namespaces.metrics.smi-spec.io", "Namespace", "shop"),
    ],
)
def test_kubectl_gets_each_kind_in_both_versions(api: ApiServer, resource: str, kind: str, name: str) -> None:
    done = api.kubectl("get", resource, "-n", "shop", "-o", "json")
    assert done.returncode == 0, done.stderr
    items = json.loads(done.stdout)["items"]
    assert {(item["kind"], item["resource"]["kind"]) for item in items} == {("TrafficMetrics", kind)}
    assert name in {item["resource"]["name"] for item in items}
    version = "v1alpha1" if "v1alpha1" in resource else "v1alpha2"
    assert {item["apiVersion"] for item in items} == {f"metrics.smi-spec.io/{version}"}


@pytest.mark.parametrize("version", ["v1alpha1", "v1alpha2"])
def test_edges_have_both_directions_and_sides(api: ApiServer, version: str) -> None:
    found = got(api, f"{version}/namespaces/shop/deployments/checkout-v1/edges?window=1m").json()
    assert found["kind"] == "TrafficMetricsList"
    edges = {(e["edge"]["direction"], e["edge"]["side"], e["edge"]["resource"]["name"]): e for e in found["items"]}
    assert set(edges) == {("from", "client", "web"), ("from", "server", "web")}
    assert values(edges["from", "client", "web"])["failure_count"] == 9
    assert values(edges["from", "client", "web"])["success_count"] == 81
    calls = got(api, f"{version}/namespaces/shop/deployments/web/edges?window=1m").json()["items"]
    assert sorted(e["edge"]["resource"]["name"] for e in calls) == ["checkout-v1", "checkout-v1", "checkout-v2"]
    assert {e["edge"]["direction"] for e in calls} == {"to"}


def test_a_split_has_an_object_for_each_backend(api: ApiServer) -> None:
    found = raw(api, "v1alpha1/namespaces/shop/trafficsplits/checkout?window=1m")
    assert found["resource"]["kind"] == "TrafficSplit"
    backends = {item["backend"]["name"]: item for item in found["items"]}
    assert backends["checkout-v1"]["backend"] == {"apex": "checkout", "name": "checkout-v1", "weight": 90}
    assert values(backends["checkout-v1"])["success_count"] == 81
    assert values(backends["checkout-v1"])["failure_count"] == 9
    assert values(backends["checkout-v2"])["success_count"] == 10
    accept = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    table = httpx.get(f"{api.url}{ROOT}/v1alpha2/namespaces/shop/trafficsplits?window=1m", headers=accept).json()
    assert [row["cells"][:4] for row in table["rows"]] == [
        ["checkout", "checkout-v1", 90, "90.00%"], ["checkout", "checkout-v2", 10, "100.00%"],
    ]  # fmt: skip


def test_pods_services_and_namespaces(api: ApiServer) -> None:
    pods = got(api, "v1alpha2/namespaces/shop/pods?window=1m").json()["items"]
    assert [(pod["metadata"]["name"], values(pod)["success_count"]) for pod in pods] == [("checkout-v1-0", 81)]
    services = got(api, "v1alpha2/namespaces/shop/services?window=1m").json()["items"]
    assert [one["metadata"]["name"] for one in services] == ["checkout-v1", "checkout-v2", "checkout"]
    spaces = got(api, "v1alpha2/namespaces?window=1m").json()["items"]
    assert [space["metadata"] for space in spaces if space["resource"]["name"] == "shop"]
    assert values(got(api, "v1alpha2/namespaces/shop?window=1m").json())["success_count"] == 81
    assert got(api, "v1alpha2/nodes").json()["items"] == []


def test_a_label_selector_narrows_the_items(api: ApiServer) -> None:
    path = "v1alpha2/namespaces/shop/deployments?labelSelector="
    assert got(api, f"{path}app%3Dnone").json()["items"] == []
    refused = got(api, f"{path}app+in+(a)")
    assert (refused.status_code, refused.json()["kind"]) == (400, "Status")


@pytest.mark.parametrize("mesh", ["linkerd", "consul", "envoy"])
def test_every_mesh_has_edges_and_splits(mesh: str, tmp_path: Path) -> None:
    made = Carried()
    if mesh == "linkerd":
        carried.linkerd(made, "web", "checkout", "checkout-v2", 40, 2)
    else:
        getattr(carried, mesh)(made, "web", "checkout-v2", 40, 2)
    (tmp_path / "shop.yaml").write_text(SHOP)
    with serving(trafficmetrics.routes(made.ask, Files(tmp_path))) as address:
        base = f"{address}{ROOT}/v1alpha2/namespaces/shop"
        split = httpx.get(f"{base}/trafficsplits/checkout?window=1m").json()["items"]
        assert {item["backend"]["name"]: values(item)["failure_count"] for item in split} == {
            "checkout-v1": 0, "checkout-v2": 2,
        }  # fmt: skip
        [edge] = httpx.get(f"{base}/deployments/web/edges?window=1m").json()["items"]
        assert edge["edge"]["resource"]["name"] == "checkout-v2"
        assert values(edge)["success_count"] == 38
        assert values(edge)["p99_response_latency"] > 0


def test_what_is_not_there_is_a_status(api: ApiServer) -> None:
    for path, code in (
        ("v1beta1", 404), ("v1alpha2/namespaces/shop/cats", 404), ("v1alpha2/pods/one", 400),
        ("v1alpha2/namespaces/shop/trafficsplits/none", 404), ("v1alpha2/namespaces/shop/pods?window=x", 400),
        ("v1alpha2/namespaces/shop/pods?watch=true", 405),
    ):  # fmt: skip
        found = got(api, path)
        assert (found.status_code, found.json()["kind"]) == (code, "Status"), path
    none = got(api, "v1alpha2/namespaces/shop/pods/none").json()
    assert values(none) == {"success_count": 0, "failure_count": 0}
