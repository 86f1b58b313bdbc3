"""Drift: what runs against what is declared, by the telemetry and by a cluster's own API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.environments import Placement, read_environments
from pilothouse.delivery.environments.drifting import cluster_versions, standing
from pilothouse.delivery.environments.model import Kind
from pilothouse.releases.running import RunningVersion
from tests.kube.apiserver import ApiServer, start_api_server

STAGING = read_environments("environments: [{name: staging, services: [shop]}]", "acme/deploy").named("staging")


def heard(*versions: str) -> list[RunningVersion]:
    return [RunningVersion(version, 1, 0) for version in versions]


@pytest.mark.parametrize(
    ("declared", "running", "cluster", "rolling", "problem", "state", "words"),
    [
        ("1.0", ["1.0"], None, False, "", "in sync", "1.0"),
        ("1.0", ["0.9"], None, False, "", "drifted", "1.0 is declared; running instead: 0.9"),
        ("1.0", ["1.0", "0.9"], None, False, "", "drifted", "1.0 is declared; also running: 0.9"),
        ("1.0", ["1.0", "0.9"], None, True, "", "rolling out", "1.0 is being rolled out; 1.0, 0.9 runs"),
        ("1.0", [], None, False, "", "silent", "1.0 is declared; nothing is heard of it"),
        ("1.0", [], ["1.0"], False, "", "in sync", "1.0, by the cluster; nothing is heard of it"),
        ("1.0", ["1.0"], ["0.9"], False, "", "drifted", "1.0 is declared; the cluster has 0.9"),
        ("1.0", ["1.0"], [], False, "", "drifted", "1.0 is declared; the cluster has no workload of it"),
        ("", ["1.0"], None, False, "", "drifted", "1.0 runs, and nothing is declared"),
        ("", [], None, False, "", "silent", "not deployed"),
        ("", ["1.0"], None, False, "the forge is away", "unknown", "the forge is away"),
    ],
)
def test_what_is_off_is_said(
    declared: str, running: list[str], cluster: list[str] | None, rolling: bool, problem: str, state: str, words: str
) -> None:
    found = standing(STAGING, "shop", declared, heard(*running), cluster, rolling, problem)
    assert (found.state, found.words) == (state, words)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    running = start_api_server(tmp_path)
    yield running
    running.stop()


def workload(kind: str, name: str, *images: str) -> dict[str, Any]:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    metadata = {"name": name, "namespace": "staging"}
    return {
        "apiVersion": "apps/v1", "kind": kind, "metadata": metadata,
        "spec": {"template": {"spec": {"containers": containers}}},
    }  # fmt: skip


def test_a_cluster_is_asked_for_the_images_of_its_workloads(api: ApiServer) -> None:
    api.put(workload("Deployment", "shop", "registry:5000/acme/shop:v1.2.3@sha256:" + "a" * 64, "acme/proxy:9"))
    api.put(workload("StatefulSet", "cart", "acme/cart:2.0.0"))
    api.put(workload("DaemonSet", "cart", "acme/cart:2.1.0"))
    services = {
        "shop": Placement(Kind.HELM, file="values.yaml", key="image.tag", prefix="v"),
        "cart": Placement(Kind.PLAIN, image="acme/cart"),
        "gone": Placement(Kind.PLAIN, image="gone"),
    }
    found = cluster_versions(api.cluster(), "staging", services)
    assert found == {"shop": ["1.2.3"], "cart": ["2.0.0", "2.1.0"], "gone": []}
    assert cluster_versions(api.cluster(), "elsewhere", services)["shop"] == []
