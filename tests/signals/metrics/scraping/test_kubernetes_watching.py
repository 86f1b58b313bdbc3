"""Kubernetes discovery against an API server: what is there, what comes, what goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pilothouse.signals.metrics.configuring import KubernetesDiscovery
from pilothouse.signals.metrics.scraping.group import Group
from pilothouse.signals.metrics.scraping.kubernetes import watch
from tests.kube.apiserver import ApiServer, start_api_server
from tests.signals.metrics.scraping.test_kubernetes_targets import _POD, _SERVICE, _SLICE


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    running = start_api_server(tmp_path)
    yield running
    running.stop()


@pytest.mark.parametrize("by_address", [False, True])
def test_targets_come_and_go(api: ApiServer, tmp_path: Path, by_address: bool) -> None:
    (tmp_path / "token").write_text("t")
    where = (
        {"api_server": api.url, "authorization": {"credentials_file": "token"}}
        if by_address
        else {"kubeconfig_file": str(api.kubeconfig)}
    )
    settings = KubernetesDiscovery.model_validate({"role": "endpointslice", "namespaces": {"names": ["shop"]}, **where})
    api.put({"apiVersion": "v1", "kind": "Pod", **_POD})
    api.put({"apiVersion": "v1", "kind": "Service", **_SERVICE})
    found: list[list[Group]] = []

    def addresses() -> set[str]:
        return {labels["__address__"] for group in (found[-1] if found else []) for labels in group.each()}

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 - another thread brings it about
                await asyncio.sleep(0.05)

    async def watched() -> None:
        watching = asyncio.ensure_future(watch(settings, tmp_path, "x", lambda _, groups: found.append(groups)))
        await until(lambda: bool(found))
        assert addresses() == set()
        api.put({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", **_SLICE})
        await until(lambda: addresses() == {"10.0.0.7:8080", "10.0.0.7:9090"})
        cluster = api.cluster()
        resource = cluster.resource("EndpointSlice", "discovery.k8s.io/v1")
        await asyncio.to_thread(cluster.delete, resource, "web-abc", "shop")
        await until(lambda: addresses() == set())
        watching.cancel()

    asyncio.run(watched())
