"""Metrics as each mesh's proxies would have exposed them: counters that grew from zero over the last minute."""

from __future__ import annotations

from collections.abc import Mapping

from pilothouse.mesh.measuring.asking import Ask, evaluated
from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.promql.memory import MemoryStorage

NOW = 1_700_000_000.0
BOUNDS = (5.0, 10.0, 25.0, 50.0, 100.0, float("inf"))


class Carried:
    """Counters in memory, and PromQL asked of them by the real evaluator."""

    def __init__(self) -> None:
        self.storage = MemoryStorage()

    def count(self, name: str, labels: Mapping[str, str], value: float, seconds: float = 60) -> None:
        """A counter that was 0 before the last `seconds` and is `value` now."""
        full = labels_of({"__name__": name, **labels})
        for at, number in ((seconds + 15, 0.0), (seconds, 0.0), (seconds / 2, value // 2), (0, value)):
            self.storage.add(full, int((NOW - at) * 1000), number)

    def durations(self, name: str, labels: Mapping[str, str], counts: tuple[int, ...], scale: float = 1) -> None:
        """A histogram whose buckets (`BOUNDS` milliseconds times `scale`) hold `counts` each."""
        total = 0
        for bound, number in zip(BOUNDS, counts, strict=True):
            total += number
            le = "+Inf" if bound == BOUNDS[-1] else f"{bound * scale:g}"
            self.count(f"{name}_bucket", {**labels, "le": le}, total)

    @property
    def ask(self) -> Ask:
        return lambda query: evaluated(self.storage, query, NOW)


def istio(carried: Carried, client: str, server: str, requests: int, failed: int = 0) -> None:
    """Requests that the caller's sidecar reports."""
    labels = {
        "reporter": "source", "source_workload": client, "source_workload_namespace": "shop",
        "destination_workload": server, "destination_workload_namespace": "shop",
        "destination_service_name": server, "destination_service_namespace": "shop",
        "destination_service": f"{server}.shop.svc.cluster.local", "namespace": "shop", "pod": f"{client}-0",
    }  # fmt: skip
    for code, number in (("200", requests - failed), ("503", failed)):
        if number:
            coded = {**labels, "response_code": code, "grpc_response_status": ""}
            carried.count("istio_requests_total", coded, number)
    carried.durations("istio_request_duration_milliseconds", labels, (requests, 0, 0, 0, 0, 0))


def linkerd(carried: Carried, client: str, root: str, server: str, requests: int, failed: int = 0) -> None:
    """Requests that the caller's proxy sent by a route."""
    labels = {
        "namespace": "shop", "deployment": client, "pod": f"{client}-0", "parent_kind": "Service",
        "parent_namespace": "shop", "parent_name": root, "parent_port": "80", "backend_kind": "Service",
        "backend_namespace": "shop", "backend_name": server, "backend_port": "80", "route_name": f"smi-{root}-80",
    }  # fmt: skip
    name = "outbound_http_route_backend_response"
    for status, number in (("200", requests - failed), ("500", failed)):
        if number:
            carried.count(f"{name}_statuses_total", {**labels, "http_status": status, "error": ""}, number)
    carried.durations(f"{name}_duration_seconds", labels, (0, requests, 0, 0, 0, 0), 0.001)


def consul(carried: Carried, client: str, server: str, requests: int, failed: int = 0) -> None:
    """Requests that the caller's Envoy sent, as Consul tags them."""
    labels = {
        "consul_source_service": client, "consul_source_namespace": "default", "consul_destination_service": server,
        "consul_destination_namespace": "default", "namespace": "shop", "pod": f"{client}-0",
        "envoy_cluster_name": f"{server}.default.dc1.internal",
    }  # fmt: skip
    for code, number in (("200", requests - failed), ("500", failed)):
        if number:
            carried.count("envoy_cluster_upstream_rq", {**labels, "envoy_response_code": code}, number)
    carried.durations("envoy_cluster_upstream_rq_time", labels, (0, 0, requests, 0, 0, 0))


def envoy(carried: Carried, client: str, server: str, requests: int, failed: int = 0) -> None:
    """Requests that an Envoy of `pilothouse mesh envoy` sent."""
    labels = {
        "envoy_cluster_name": f"shop/{server}",
        "pilothouse_proxy": client,
        "pilothouse_account": f"shop/{client}",
    }
    for code, number in (("200", requests - failed), ("503", failed)):
        if number:
            carried.count("envoy_cluster_upstream_rq", {**labels, "envoy_response_code": code}, number)
    carried.durations("envoy_cluster_upstream_rq_time", labels, (requests, 0, 0, 0, 0, 0))
