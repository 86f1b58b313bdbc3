"""OpenTelemetry's metrics under the names and labels that Prometheus would give them."""

from __future__ import annotations

import time

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from pilothouse.signals.metrics.prometheus.naming import attribute_labels, label_name, metric_name, target_labels
from tests.running import RunningServer


@pytest.mark.parametrize(
    ("name", "unit", "counter", "gauge", "expected"),
    [
        ("http.server.duration", "ms", False, False, "http_server_duration_milliseconds"),
        ("http.requests", "", True, False, "http_requests_total"),
        ("http.requests_total", "1", True, False, "http_requests_total"),
        ("http.requests", "{request}", True, False, "http_requests_total"),
        ("system.memory.utilization", "1", False, True, "system_memory_utilization_ratio"),
        ("disk.io", "By", True, False, "disk_io_bytes_total"),
        ("disk.speed", "By/s", False, True, "disk_speed_bytes_per_second"),
        ("process_cpu_seconds", "s", True, False, "process_cpu_seconds_total"),
        ("2xx", "", False, True, "_2xx"),
        ("a..b--c", "", False, True, "a_b_c"),
        ("weird", "foo/bar", False, True, "weird_foo_per_bar"),
    ],
)
def test_metric_names(name: str, unit: str, counter: bool, gauge: bool, expected: str) -> None:
    assert metric_name(name, unit, counter, gauge) == expected


def test_labels() -> None:
    assert label_name("http.method") == "http_method"
    assert label_name("2nd") == "key_2nd"
    assert attribute_labels({"a.b": "1", "a_b": "2"}) == {"a_b": "1;2"}
    resource = {"service.name": "api", "service.namespace": "shop", "service.instance.id": "i"}
    assert target_labels(resource) == {"job": "shop/api", "instance": "i"}
    assert target_labels({"service.name": "api"}) == {"job": "api"}


def _exported(server: RunningServer, instance: str = "i-1", version: str = "2.0.0") -> None:
    """What the OpenTelemetry SDK sends."""
    resource = Resource({"service.name": "api", "service.namespace": "shop", "service.instance.id": instance,
                         "service.version": version})  # fmt: skip
    exporter = OTLPMetricExporter(f"{server.otlp}/v1/metrics")
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, 60_000)], resource)
    meter = provider.get_meter("my.library", "1.2")
    meter.create_counter("http.requests", "{request}", "Requests.").add(5, {"http.method": "GET"})
    meter.create_up_down_counter("queue.size").add(3)
    duration = meter.create_histogram("http.duration", "s", explicit_bucket_boundaries_advisory=[0.1, 1.0])
    for value in (0.05, 0.5, 0.7, 3.0):
        duration.record(value, {"route": "/"})
    provider.shutdown()


def test_what_the_sdk_sends(server: RunningServer) -> None:
    _exported(server)
    address = f"{server.http}/prometheus/api/v1"
    scope = {"otel_scope_name": "my.library", "otel_scope_version": "1.2"}
    target = {"job": "shop/api", "instance": "i-1"}

    def ask(query: str) -> list[tuple[dict[str, str], str]]:
        answer = httpx.get(f"{address}/query", params={"query": query}).json()
        assert answer["status"] == "success", answer
        return [(row["metric"], row["value"][1]) for row in answer["data"]["result"]]

    deadline = time.monotonic() + 60
    # A table after the other.
    while not (ask("http_requests_total") and ask("http_duration_seconds_bucket") and ask("queue_size")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ask("http_requests_total") == [
        ({"__name__": "http_requests_total", "http_method": "GET", **target, **scope}, "5")
    ]
    assert [value for _, value in ask("queue_size")] == ["3"]
    buckets = {labels["le"]: value for labels, value in ask("http_duration_seconds_bucket")}
    assert buckets == {"0.1": "1", "1.0": "3", "+Inf": "4"}
    assert [value for _, value in ask("http_duration_seconds_count")] == ["4"]
    assert [float(value) for _, value in ask("http_duration_seconds_sum")] == [pytest.approx(4.25)]
    assert [value for _, value in ask('http_duration_seconds_bucket{le="1.0"}')] == ["3"]
    assert ask("http_duration_seconds") == []
    (labels, value) = ask('target_info{job="shop/api"}')[0]
    assert (labels["service_version"], labels["job"], value) == ("2.0.0", "shop/api", "1")
    enriched = ask('info(http_requests_total, {service_version=~".+"})')
    assert [labels["service_version"] for labels, _ in enriched] == ["2.0.0"]
    names = httpx.get(f"{address}/label/__name__/values").json()["data"]
    assert {"http_requests_total", "http_duration_seconds_bucket", "queue_size", "target_info"} <= set(names)
    told = httpx.get(f"{address}/metadata", params={"metric": "http_requests_total"}).json()["data"]
    assert told == {"http_requests_total": [{"type": "counter", "unit": "{request}", "help": "Requests."}]}


def test_a_pod_that_keeps_its_name_over_an_upgrade_is_one_series(server: RunningServer) -> None:
    """As of a StatefulSet: two resources, of which PromQL sees the same labels, within the five minutes looked back."""
    _exported(server, "api-0", "1.0.0")
    _exported(server, "api-0", "2.0.0")

    def ask(query: str) -> list[str]:
        answer = httpx.get(f"{server.http}/prometheus/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", answer
        return [row["value"][1] for row in answer["data"]["result"]]

    deadline = time.monotonic() + 60
    while ask('count(target_info{instance="api-0"})') != ["2"] or not ask(
        'http_duration_seconds_count{instance="api-0"}'
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ask('http_requests_total{instance="api-0"}') == ["5"]
    assert ask('count_over_time(queue_size{instance="api-0"}[5m])') == ["2"]
    assert ask('max_over_time(queue_size{instance="api-0"}[5m])') == ["3"]
    assert ask('http_duration_seconds_count{instance="api-0"}') == ["4"]
