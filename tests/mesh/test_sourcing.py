"""A server's files: manifests, and what runs on a machine without Kubernetes."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pilothouse.cli.mesh_envoy import _write_targets
from pilothouse.mesh.model import Name
from pilothouse.mesh.overview import overview
from pilothouse.mesh.sourcing import Files

SPLIT = """
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: checkout, namespace: shop}
spec: {service: checkout, backends: [{service: checkout-v1, weight: 9}, {service: checkout-v2, weight: 1}]}
"""
SERVICES = """
services:
- {name: shop/checkout, endpoints: ["127.0.0.1:8001"]}
- {name: shop/checkout-v1, endpoints: ["127.0.0.1:8001"], account: shop/checkout}
proxies:
- {name: web, account: shop/web, outbound: {shop/checkout: "127.0.0.1:9001"}}
"""


def test_services_of_the_machine_are_known_as_those_of_a_cluster_are(tmp_path: Path) -> None:
    (tmp_path / "smi").mkdir()
    (tmp_path / "smi" / "split.yaml").write_text(SPLIT)
    services = tmp_path / "services.yaml"
    services.write_text(SERVICES)
    source = Files(tmp_path / "smi", services=services)

    def backends() -> list[bool]:
        [split] = overview(source.state(), lambda _: [], 60, 0.0)["splits"]
        return [one["known"] for one in split["backends"]]

    assert backends() == [True, False]
    configuration = source.state().reading.configuration
    assert configuration.services[Name("shop", "checkout-v1")].accounts == ("checkout",)
    assert configuration.workloads[Name("shop", "web")].account == "web"
    services.write_text(
        SERVICES.replace("proxies:", '- {name: shop/checkout-v2, endpoints: ["127.0.0.1:1"]}\nproxies:')
    )
    assert backends() == [True, True]
    services.write_text("services: 7")
    assert "services" in source.state().problems[0]


def test_targets_are_written_as_file_discovery_reads_them(tmp_path: Path) -> None:
    _write_targets(tmp_path / "found" / "envoys.json", {"web": "127.0.0.1:4"})
    [row] = json.loads((tmp_path / "found" / "envoys.json").read_text())
    assert row["targets"] == ["127.0.0.1:4"]
    assert row["labels"]["__metrics_path__"] == "/stats/prometheus"


def test_weights_are_measured_from_when_their_file_was_written(tmp_path: Path) -> None:
    file = tmp_path / "split.yaml"
    source, split = Files(file), Name("shop", "checkout")
    for weight, written in ((9, 1_000_000), (8, 2_000_000)):
        file.write_text(SPLIT.replace("weight: 9", f"weight: {weight}"))
        os.utime(file, (written, written))
        # Nobody has asked since then.
        assert source.state().since[split] == written
    # Another change of the file is none of the weights.
    file.write_text(file.read_text() + "---\n")
    assert source.state().since[split] == 2_000_000
