"""Spans that do not come as OTLP: Jaeger's and Datadog's real clients, and the OpenCensus agent's streams."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import msgpack
import pytest
from opentelemetry import trace as api
from opentelemetry.sdk import environment_variables
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.receive.jaeger_grpc import MESSAGES, METHOD
from pilothouse.signals.receive.opencensus_messages import METRICS, TRACES
from tests.running import RunningServer

NOW = time.time_ns() // 1_000_000_000


@pytest.fixture(scope="module")
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc) as opened:
        yield opened


def stored(server: RunningServer, service: str, spans: int) -> dict[str, Any]:
    """The spans of the only trace of a service, by their names."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = server.get("/api/traces", service=service)["traces"]
        if found and found[0]["spans"] == spans:
            trace = server.get(f"/api/traces/{found[0]['trace_id']}")
            return {span["name"]: span | {"trace_id": trace["trace_id"]} for span in trace["spans"]}
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_jaegers_thrift_exporter(server: RunningServer) -> None:
    for name in (
        "AGENT_HOST",
        "AGENT_PORT",
        "AGENT_SPLIT_OVERSIZED_BATCHES",
        "ENDPOINT",
        "PASSWORD",
        "TIMEOUT",
        "USER",
    ):
        # The SDK of today has forgotten the names of its exporter of yesterday.
        setattr(environment_variables, f"OTEL_EXPORTER_JAEGER_{name}", f"OTEL_EXPORTER_JAEGER_{name}")
    with warnings.catch_warnings():
        # The exporter calls itself deprecated.
        warnings.simplefilter("ignore")
        from opentelemetry.exporter.jaeger.thrift import JaegerExporter

        exporter = JaegerExporter(collector_endpoint=f"{server.http}/api/traces")
    provider = TracerProvider(resource=Resource({"service.name": "thrifty", "service.version": "3.1", "shards": 4}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("orders-lib", "1.2")
    elsewhere = SpanContext(0xABC, 0xDEF, is_remote=True)
    with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER) as outer:
        with tracer.start_as_current_span("insert", kind=SpanKind.CLIENT, links=[Link(elsewhere)]) as inner:
            inner.set_attributes({"db.rows": -3, "db.ratio": 0.25, "db.cached": True, "db.text": "größe"})
            inner.add_event("retry", {"attempt": 2})
        outer.set_status(Status(StatusCode.ERROR, "no stock"))
    provider.shutdown()
    exporter._collector_http_client.http_transport.close()
    spans = stored(server, "thrifty", 2)
    outer_, inner_ = spans["POST /orders"], spans["insert"]
    assert inner_["trace_id"] == f"{outer.get_span_context().trace_id:032x}"
    assert (outer_["kind"], inner_["kind"]) == ("SERVER", "CLIENT")
    assert inner_["parent_span_id"] == outer_["span_id"] == f"{outer.get_span_context().span_id:016x}"
    assert (outer_["status"], outer_["status_message"]) == ("ERROR", "no stock")
    # This exporter says the resource's attributes as tags of each span.
    resource = {"service.name": "thrifty", "service.version": "3.1", "shards": 4}
    assert outer_["attributes"] == resource
    told = {"db.rows": -3, "db.ratio": 0.25, "db.cached": True, "db.text": "größe"}
    assert inner_["attributes"] == resource | told
    assert (inner_["events"][0]["name"], inner_["events"][0]["attributes"]) == ("retry", {"attempt": 2})
    assert (inner_["links"][0]["trace_id"], inner_["links"][0]["span_id"]) == (f"{0xABC:032x}", f"{0xDEF:016x}")
    assert inner_["scope"] == "orders-lib"


def test_jaegers_post_spans(server: RunningServer, channel: grpc.Channel) -> None:
    request = message_classes("jaeger.test", MESSAGES)["PostSpansRequest"]()
    request.batch.process.service_name = "poster"
    request.batch.process.tags.add(key="hostname", v_str="node-7")
    for number, name in ((1, "outer"), (2, "inner")):
        span = request.batch.spans.add(trace_id=bytes(15) + b"\x42", span_id=number.to_bytes(8, "big"))
        span.operation_name = name
        span.start_time.seconds, span.start_time.nanos, span.duration.nanos = NOW, number, 5_000_000
        span.tags.add(key="span.kind", v_str="server")
    span.references.add(trace_id=bytes(15) + b"\x42", span_id=bytes(7) + b"\x01")
    span.tags.add(key="error", v_type=1, v_bool=True)
    span.tags.add(key="raw", v_type=4, v_binary=b"\x00\x01")
    log = span.logs.add()
    log.timestamp.seconds = NOW
    log.fields.add(key="event", v_str="exception")
    channel.unary_unary(METHOD)(request.SerializeToString())
    spans = stored(server, "poster", 2)
    assert spans["inner"]["parent_span_id"] == spans["outer"]["span_id"]
    assert (spans["inner"]["status"], spans["outer"]["status"]) == ("ERROR", "UNSET")
    assert spans["inner"]["attributes"] == {"raw": "AAE="}
    assert spans["inner"]["resource"] == {"service.name": "poster", "host.name": "node-7"}
    assert spans["inner"]["duration_ms"] == 5
    assert spans["inner"]["events"][0]["name"] == "exception"
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(METHOD)(b"\xff\xff")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_opencensus_spans(server: RunningServer, channel: grpc.Channel) -> None:
    first, second = TRACES["ExportTraceServiceRequest"](), TRACES["ExportTraceServiceRequest"]()
    first.node.service_info.name, first.node.identifier.host_name = "census", "node-3"
    first.node.library_info.language = 4
    first.resource.labels.add(key="k8s.io/pod/name", value="census-1")
    for request, number, name in ((first, 1, "outer"), (second, 2, "inner")):
        span = request.spans.add(trace_id=bytes(15) + b"\x43", span_id=number.to_bytes(8, "big"), kind=3 - number)
        span.name.value = name
        span.start_time.seconds, span.end_time.seconds = NOW, NOW + number
    span.parent_span_id = bytes(7) + b"\x01"
    span.status.code, span.status.message = 5, "gone"
    span.attributes.attribute_map.add(key="zero", value=b"\x10\x00")
    span.attributes.attribute_map.add(key="no", value=b"\x18\x00")
    span.attributes.attribute_map.add(key="words", value=b"\x0a\x04\x0a\x02hi")
    event = span.time_events.time_event.add()
    event.time.seconds = NOW
    event.annotation.description.value = "looked up"
    export = channel.stream_stream("/opencensus.proto.agent.trace.v1.TraceService/Export")
    # The second request says nothing of the node: it is the first one's.
    answers = list(export(iter([first.SerializeToString(), second.SerializeToString()])))
    assert answers == [b"", b""]
    spans = stored(server, "census", 2)
    inner = spans["inner"]
    assert inner["resource"] | {"k8s.pod.name": "census-1", "host.name": "node-3"} == inner["resource"]
    assert inner["attributes"] == {"zero": 0, "no": False, "words": "hi"}
    assert (inner["status"], inner["status_message"], inner["events"][0]["name"]) == ("ERROR", "gone", "looked up")
    assert (spans["outer"]["kind"], inner["kind"]) == ("CLIENT", "SERVER")
    assert inner["parent_span_id"] == spans["outer"]["span_id"]


def test_opencensus_metrics(server: RunningServer, channel: grpc.Channel) -> None:
    request = METRICS["ExportMetricsServiceRequest"]()
    request.node.service_info.name = "census"
    for name, kind in (("census_queue", 1), ("census_calls", 4), ("census_took", 6)):
        metric = request.metrics.add()
        metric.metric_descriptor.name, metric.metric_descriptor.type = name, kind
        metric.metric_descriptor.label_keys.add(key="shelf")
        series = metric.timeseries.add()
        series.label_values.add(value="top", has_value=True)
        series.start_timestamp.seconds = NOW - 60
        point = series.points.add(int64_value=7)
        point.timestamp.seconds = NOW
    point.distribution_value.count, point.distribution_value.sum = 3, 4.5
    point.distribution_value.bucket_options.explicit.bounds.extend([1.0, 2.0])
    for count in (1, 1, 1):
        point.distribution_value.buckets.add(count=count)
    export = channel.stream_stream("/opencensus.proto.agent.metrics.v1.MetricsService/Export")
    assert list(export(iter([request.SerializeToString()]))) == [b""]

    def value(query: str) -> list[Any]:
        found = server.get("/prometheus/api/v1/query", query=query, time=NOW + 1)["data"]["result"]
        return [float(one["value"][1]) for one in found]

    deadline = time.monotonic() + 60
    while not value("census_took_count") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert value('census_queue{shelf="top"}') == [7]
    assert value('census_calls_total{shelf="top",job="census"}') == [7]
    assert (value("census_took_count"), value("census_took_sum")) == ([3], [4.5])
    assert value('census_took_bucket{le="2.0"}') + value('census_took_bucket{le="2"}') == [2]


SENDING = """
from ddtrace.trace import tracer
with tracer.trace("web.request", service="{service}", resource="GET /cart", span_type="web") as outer:
    outer.set_tag("cart.id", "c-7")
    outer.set_metric("cart.items", 3)
    with tracer.trace("postgres.query", service="{service}", resource="SELECT cart", span_type="sql") as inner:
        inner.error = 1
        inner.set_tag("error.message", "deadlock")
        inner.set_tag("error.type", "Deadlock")
print(format(outer.trace_id, "032x"))
tracer.flush()
tracer.shutdown()
"""


@pytest.mark.parametrize("version", ["v0.4", "v0.5"])
def test_datadogs_tracer(server: RunningServer, version: str) -> None:
    service = f"dog-{version[-1]}"
    settings = {
        "DD_TRACE_AGENT_URL": server.http, "DD_TRACE_API_VERSION": version, "DD_ENV": "test", "DD_VERSION": "1.4",
        "DD_SERVICE": service,
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false", "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    }  # fmt: skip
    command = [sys.executable, "-c", SENDING.format(service=service)]
    sent = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60, check=True)
    spans = stored(server, service, 2)
    outer, inner = spans["GET /cart"], spans["SELECT cart"]
    assert outer["trace_id"] == sent.stdout.strip()
    assert inner["parent_span_id"] == outer["span_id"]
    assert (outer["kind"], inner["kind"]) == ("SERVER", "CLIENT")
    assert (
        outer["attributes"] | {"cart.id": "c-7", "cart.items": 3, "operation.name": "web.request"}
        == outer["attributes"]
    )
    assert (outer["status"], inner["status"], inner["status_message"]) == ("UNSET", "ERROR", "deadlock")
    assert outer["resource"] == inner["resource"]
    assert outer["resource"]["deployment.environment.name"] == "test"
    assert (outer["resource"]["service.version"], outer["resource"]["telemetry.sdk.language"]) == ("1.4", "python")


@pytest.mark.parametrize(
    ("path", "media", "body"),
    [
        ("/api/traces", "application/x-thrift", b"\x0c\x00\x01"),
        ("/api/traces", "application/x-thrift", b"\x0f\x00\x02\x0c\x7f\xff\xff\xff\x00"),
        ("/api/traces", "application/x-thrift", b"\x0c\x00\x01" * 40),
        (
            "/api/traces",
            "application/x-thrift",
            b"\x0c\x00\x01\x00\x0f\x00\x02\x08\x00\x00\x00\x01\x00\x00\x00\x07\x00",
        ),
        ("/api/traces", "text/plain", b"\x00"),
        ("/v0.4/traces", "application/msgpack", b"\xc1"),
        ("/v0.4/traces", "application/msgpack", msgpack.packb([[{"trace_id": -1, "span_id": 2}]])),
        ("/v0.4/traces", "application/msgpack", msgpack.packb([[{"trace_id": 1, "span_id": 2, "start": 1e300}]])),
        ("/v0.4/traces", "application/msgpack", msgpack.packb([[{"trace_id": 1, "span_id": 2, "meta": 3}]])),
        ("/v0.4/traces", "application/msgpack", b"\x91" * 4000),
        ("/v0.5/traces", "application/msgpack", msgpack.packb([["a"], [[[9, 0, 0, 1, 2, 0, 5, 5, 0, {}, {}, 0]]]])),
        ("/v0.4/traces", "application/json", b"[[{]]"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(server: RunningServer, path: str, media: str, body: bytes) -> None:
    answer = httpx.post(server.http + path, content=body, headers={"content-type": media})
    assert (answer.status_code, len(answer.text) > 10) == (400, True), answer.text


def test_the_context_of_this_process_is_left_alone() -> None:
    assert not api.get_current_span().get_span_context().is_valid
