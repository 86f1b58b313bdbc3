"""Twenty minutes of a small shop, sent to a running server over OTLP and Pyroscope's protocol.

Two versions of `checkout` run side by side; 2.0.0 is slower, holds more memory, logs a new error and burns CPU in a
function that 1.0.0 does not have. Ten minutes before the end the catalog's database is slow for a minute: a spike.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.ui.shop_metrics import metrics_of
from tests.ui.shop_requests import Call, Line, request_at
from tests.ui.shop_stacks import STACKS, folded

MINUTES = 20
SECOND = 1_000_000_000
SERVICES = {
    "gateway": ("3.1.0",),
    "checkout": ("1.0.0", "2.0.0"),
    "catalog": ("2.2.1",),
    "payments": ("1.4.0",),
}
PROTOBUF = {"content-type": "application/x-protobuf"}


@dataclass
class Shop:
    """What was sent: when it began and ended (nanoseconds), and the calls of each service and version."""

    start: int
    end: int
    calls: dict[tuple[str, str], list[Call]] = field(default_factory=dict)
    lines: dict[tuple[str, str], list[Line]] = field(default_factory=dict)


def resource(service: str, version: str) -> dict[str, object]:
    """An OTLP resource, with what Kubernetes would add to it."""
    said = {
        "service.name": service,
        "service.version": version,
        "service.instance.id": f"{service}-{version}-0",
        "deployment.environment.name": "production",
        "k8s.namespace.name": "shop",
        "k8s.deployment.name": service,
        "k8s.pod.name": f"{service}-{version.replace('.', '')}-x7k2p",
    }
    return {"attributes": [{"key": key, "value": {"string_value": value}} for key, value in said.items()]}


def make_shop(seed: int = 7, every: float = 0.9, end: int | None = None) -> Shop:
    """The shop's calls, one request about every so many seconds; the same for a seed but for its times."""
    numbers = random.Random(seed)
    end = end or time.time_ns() - 2 * SECOND
    shop = Shop(end - MINUTES * 60 * SECOND, end)
    at = shop.start
    while at < shop.end - 3 * SECOND:
        # The new version came two minutes after the old one.
        fresh = at - shop.start > 2 * 60 * SECOND
        version = numbers.choice(SERVICES["checkout"]) if fresh else SERVICES["checkout"][0]
        spike = 9 * 60 * SECOND < shop.end - at < 10 * 60 * SECOND
        for call in request_at(numbers, at, version, spike):
            shop.calls.setdefault((call.service, call.version), []).append(call)
            for line in call.lines:
                shop.lines.setdefault((call.service, call.version), []).append(line)
        at += int(numbers.expovariate(1 / every) * SECOND)
    return shop


def send_shop(http: str, shop: Shop) -> None:
    """All of it. `http` is the server's address without a slash at its end."""
    with httpx.Client(base_url=http, timeout=60, trust_env=False) as client:
        for signal, body in bodies(shop):
            client.post(f"/otlp/v1/{signal}", content=body, headers=PROTOBUF).raise_for_status()
        for version in STACKS:
            for minute in range(2 if version == "2.0.0" else 0, MINUTES):
                send_profile(client, shop, version, minute)


def bodies(shop: Shop) -> Iterator[tuple[str, bytes]]:
    """OTLP requests with their signals, one a service's version and signal."""
    for (service, version), calls in shop.calls.items():
        said, scope = resource(service, version), {"name": "shop"}
        spans: list[Any] = [{"scope": scope, "spans": [call.span() for call in calls]}]
        traces: list[Any] = [{"resource": said, "scope_spans": spans}]
        yield "traces", ExportTraceServiceRequest(resource_spans=traces).SerializeToString()
        lines = shop.lines.get((service, version), [])
        records: list[Any] = [{"scope": scope, "log_records": [line.record() for line in lines]}]
        logs: list[Any] = [{"resource": said, "scope_logs": records}]
        yield "logs", ExportLogsServiceRequest(resource_logs=logs).SerializeToString()
        made = metrics_of(calls, version, min(call.start for call in calls), shop.end)
        numbers: list[Any] = [{"scope": scope, "metrics": made}]
        metrics: list[Any] = [{"resource": said, "scope_metrics": numbers}]
        yield "metrics", ExportMetricsServiceRequest(resource_metrics=metrics).SerializeToString()


def send_profile(client: httpx.Client, shop: Shop, version: str, minute: int) -> None:
    """A minute of CPU profile of checkout, as folded stacks."""
    begin = shop.start // SECOND + 60 * minute
    labels = f"service.version={version},service.instance.id=checkout-{version}-0,k8s.namespace.name=shop"
    client.post(
        "/pyroscope/ingest",
        params={
            "name": f"checkout{{{labels}}}", "from": begin, "until": begin + 60, "format": "folded",
            "sampleRate": 100, "units": "samples",
        },
        content=folded(version, minute),
    ).raise_for_status()  # fmt: skip
