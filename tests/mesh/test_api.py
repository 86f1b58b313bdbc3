"""`/api/mesh` from files and from metrics in the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pilothouse.engine import open_engine
from pilothouse.mesh import api
from pilothouse.mesh.sourcing import Files
from pilothouse.signals.flushing import Intake
from pilothouse.signals.receive.checking import TimeLimits
from pilothouse.signals.receive.remote_write import RemoteWriteReceiver
from pilothouse.signals.storing import storings
from tests.releases.serving import serving
from tests.signals.metrics.stored import settled, store_series

SHOP = """
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop}
spec: {selector: {app: checkout}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: checkout-v1, namespace: shop}
spec: {selector: {app: checkout, version: v1}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: checkout-v2, namespace: shop}
spec: {selector: {app: checkout, version: v2}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: web}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout-v1, namespace: shop}
spec: {template: {metadata: {labels: {app: checkout, version: v1}}, spec: {serviceAccountName: checkout}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout-v2, namespace: shop}
spec: {template: {metadata: {labels: {app: checkout, version: v2}}, spec: {serviceAccountName: checkout}}}
---
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: checkout, namespace: shop}
spec: {service: checkout, backends: [{service: checkout-v1, weight: 90}, {service: checkout-v2, weight: 10}]}
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: web-to-checkout, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: checkout, namespace: shop}
  sources: [{kind: ServiceAccount, name: web, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: api, matches: [all]}]
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: api, namespace: shop}
spec: {matches: [{name: all, pathRegex: /api/, methods: [GET]}]}
"""
CALLS = {"checkout-v1": 505, "checkout-v2": 495}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The API over a directory that was written long ago, with Istio's metrics of the last minute in the store."""
    import os

    directory = tmp_path_factory.mktemp("mesh")
    file = directory / "smi" / "shop.yaml"
    file.parent.mkdir()
    file.write_text(SHOP)
    os.utime(file, (time.time() - 3600,) * 2)
    engine = open_engine(directory / "store")
    intake = Intake(engine, directory / "journal", storings())
    intake.start()
    now = int(time.time() * 1000)
    series = []
    for server, number in CALLS.items():
        labels = {
            "__name__": "istio_requests_total", "reporter": "source", "response_code": "200",
            "source_workload": "web", "source_workload_namespace": "shop",
            "destination_service_name": server, "destination_service_namespace": "shop",
        }  # fmt: skip
        series.append((labels, [(now - 60_000, 0.0), (now - 30_000, 3.0), (now - 1000, float(number))]))
    store_series(RemoteWriteReceiver(intake, TimeLimits()), series)
    settled(intake)
    routes = api.routes(engine, Files(file.parent))
    with serving(routes) as address, httpx.Client(base_url=address, timeout=60) as made:
        yield made
    intake.close()
    engine.close()


def asked(client: httpx.Client, url: str, /, **parameters: Any) -> Any:
    found = client.get(url, params=parameters)
    assert found.status_code == 200, found.text
    return found.json()


def test_the_overview_joins_what_is_asked_for_with_what_is_measured(client: httpx.Client) -> None:
    found = asked(client, "/api/mesh")
    assert found["source"]["kind"] == "files"
    assert [one["name"] for one in found["services"]] == ["shop/checkout", "shop/checkout-v1", "shop/checkout-v2"]
    [split] = found["splits"]
    assert (split["service"], split["state"], split["requests"]) == ("shop/checkout", "not honoured", 1000)
    assert [(one["percent"], one["measured"]["percent"]) for one in split["backends"]] == [(90.0, 50.5), (10.0, 49.5)]
    [access] = found["access"]
    assert access["from"] == [{"kind": "ServiceAccount", "name": "shop/web"}]
    assert "shop/checkout-v1" in access["to"]["services"]
    assert access["rules"][0]["matches"][0]["path"] == "/api/"
    assert {(one["from"], one["to"], one["requests"], one["allowed"]) for one in found["calls"]} == {
        ("shop/web", "shop/checkout-v1", 505, True), ("shop/web", "shop/checkout-v2", 495, True),
    }  # fmt: skip
    assert "share" in {one["code"] for one in found["findings"]}
    assert found["window"]["measured_by"] == ["istio"]


def test_one_namespace(client: httpx.Client) -> None:
    found = asked(client, "/api/mesh", namespace="elsewhere")
    assert found["services"] == found["splits"] == found["access"] == found["calls"] == found["findings"] == []
    assert found["namespaces"] == ["shop"]


def test_shares_of_one_service(client: httpx.Client) -> None:
    [found] = asked(client, "/api/mesh/shares", service="shop/checkout", since="10m")["splits"]
    assert found["state"] == "not honoured"
    assert asked(client, "/api/mesh/shares", service="shop/other")["splits"] == []


def test_a_request_is_explained(client: httpx.Client) -> None:
    question = {"from": "shop/web", "to": "shop/checkout", "path": "/api/cart"}
    found = asked(client, "/api/mesh/explain", **question)
    assert found["split"] == "shop/checkout"
    assert [backend["allowed"] for backend in found["backends"]] == [True, True]
    denied = asked(client, "/api/mesh/explain", **{**question, "method": "DELETE"})
    assert [backend["allowed"] for backend in denied["backends"]] == [False, False]


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/api/mesh", {"since": "soon"}, "since"),
        ("/api/mesh", {"since": "30d"}, "since"),
        ("/api/mesh/explain", {"from": "shop/web"}, "to"),
        ("/api/mesh/explain", {"from": "shop/", "to": "shop/checkout"}, "from"),
        ("/api/mesh/explain", {"from": "a/b", "to": "c/d", "header": "x"}, "header"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, path: str, parameters: dict[str, str], field: str) -> None:
    found = client.get(path, params=parameters)
    assert found.status_code == 400
    assert found.json()["error"]["field"] == field


def test_without_a_mesh_the_answer_says_how_to_give_one() -> None:
    with serving(api.routes(None, None)) as address:  # type: ignore[arg-type]
        assert "mesh_config" in httpx.get(f"{address}/api/mesh").json()["hint"]
        assert httpx.get(f"{address}/api/mesh/shares").status_code == 404


def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    file = tmp_path / "split.yaml"
    file.write_text(SHOP)
    source = Files(tmp_path)
    first = source.state()
    assert source.state() is first
    file.write_text(SHOP.replace("weight: 90", "weight: 5"))
    second = source.state()
    [split] = second.reading.configuration.splits.values()
    assert split.backends[0].weight == 5
    assert second.since[split.id] >= first.since[split.id]
    file.write_text("kind: [")
    assert "split.yaml" in source.state().problems[0]
