"""Tempo's, Jaeger's and Zipkin's API over HTTP on stored traces, and Zipkin's real exporter."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.receive.jaeger_grpc import MESSAGES
from tests.running import RunningServer
from tests.signals.traces.shop_spans import BASE, request

SECOND = 1_000_000_000
RANGE = {"start": BASE // SECOND, "end": BASE // SECOND + 600}
ORDER = f"{4:032x}"


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """Nothing but what is sent here."""
    return new_server


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    body = request().SerializeToString()
    headers = {"content-type": "application/x-protobuf"}
    assert httpx.post(server.otlp + "/v1/traces", content=body, headers=headers).status_code == 200
    with httpx.Client(base_url=server.http) as opened:
        server.wait_for("/tempo/api/search", "traces", 5, limit=10, **RANGE)
        yield opened


def ask(client: httpx.Client, path: str, **given: Any) -> Any:
    response = client.get(path, params=given)
    assert response.status_code == 200, response.text
    return response.json()


def spans_sent() -> dict[bytes, Any]:
    sent = request()
    return {
        span.span_id: span
        for resource in sent.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if span.trace_id == bytes.fromhex(ORDER)
    }


def test_a_trace_comes_back_equal(client: httpx.Client) -> None:
    response = client.get(f"/tempo/api/traces/{ORDER}", headers={"accept": "application/protobuf"})
    data = TracesData.FromString(response.content)
    got = [span for resource in data.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert {span.span_id: span for span in got} == spans_sent()
    assert len(got) == 5
    second = client.get(f"/tempo/api/v2/traces/{ORDER}", headers={"accept": "application/protobuf"}).content
    assert second.endswith(response.content)
    assert second[:1] == b"\x0a"


def test_a_trace_in_json(client: httpx.Client) -> None:
    first = ask(client, f"/tempo/api/traces/{ORDER}")["batches"]
    again = ask(client, f"/tempo/api/v2/traces/{int(ORDER, 16):x}")["trace"]["resourceSpans"]
    assert first == again
    assert base64.b64decode(first[0]["scopeSpans"][0]["spans"][0]["traceId"]) == bytes.fromhex(ORDER)
    assert client.get(f"/tempo/api/traces/{77:032x}").status_code == 404
    assert client.get("/tempo/api/traces/nonsense").status_code == 400


def test_search_says_what_grafana_shows(client: httpx.Client) -> None:
    query = "{ kind = server && status = error } | select(span.items, status)"
    [found] = ask(client, "/tempo/api/search", q=query, **RANGE)["traces"]
    assert (found["traceID"], found["rootServiceName"], found["rootTraceName"]) == ("4", "gateway", "GET /order")
    assert (found["durationMs"], found["startTimeUnixNano"]) == (400, str(BASE + 240 * SECOND))
    assert found["serviceStats"] == {
        "gateway": {"spanCount": 2, "errorCount": 1},
        "shop": {"spanCount": 3, "errorCount": 1},
    }
    [spanset] = found["spanSets"]
    assert spanset["matched"] == 2
    assert spanset["spans"][1]["attributes"] == [
        {"key": "items", "value": {"intValue": "4"}}, {"key": "status", "value": {"stringValue": "error"}},
    ]  # fmt: skip


def test_search_by_tags_limits_and_refuses(client: httpx.Client) -> None:
    def found(**given: Any) -> list[str]:
        return [one["traceID"] for one in ask(client, "/tempo/api/search", **RANGE, **given)["traces"]]

    assert found(tags="service.name=shop items=3") == ["3"]
    assert found(minDuration="350ms", maxDuration="500ms") == ["4"]
    assert found(limit="2") == ["5", "4"]
    assert found(q="{ } | by(name) | count() > 2") == []
    bad = client.get("/tempo/api/search", params={"q": "{ .a = }", **RANGE})
    assert (bad.status_code, bad.text.partition(":")[0]) == (400, "parse error at line 1, col 8")
    assert client.get("/tempo/api/search", params={"q": "{ } | rate()"}).status_code == 400
    assert client.get("/tempo/api/search", params={"start": 5, "end": 4}).status_code == 400


def test_nested_sets_number_the_tree(client: httpx.Client) -> None:
    query = "{ trace:id = `" + ORDER + "` } | select(nestedSetLeft, nestedSetRight, nestedSetParent)"
    [found] = ask(client, "/tempo/api/search", q=query, spss=10, **RANGE)["traces"]
    sets = {
        int(span["spanID"], 16): tuple(int(pair["value"]["intValue"]) for pair in span["attributes"])
        for span in found["spanSets"][0]["spans"]
    }
    assert sets == {1: (1, 10, -1), 2: (2, 9, 1), 3: (3, 8, 2), 4: (4, 5, 3), 5: (6, 7, 3)}


def test_tags_and_their_values(client: httpx.Client) -> None:
    scopes = {scope["name"]: scope["tags"] for scope in ask(client, "/tempo/api/v2/search/tags", **RANGE)["scopes"]}
    assert "service.name" in scopes["resource"]
    assert {"cache", "http.status_code", "items"} <= set(scopes["span"])
    assert (scopes["event"], scopes["link"], scopes["instrumentation"]) == (["exception.type"], ["why"], ["pool"])
    assert "rootName" in scopes["intrinsic"]
    assert "items" in ask(client, "/tempo/api/search/tags", **RANGE)["tagNames"]
    values = ask(client, "/tempo/api/v2/search/tag/resource.service.name/values", **RANGE)["tagValues"]
    assert {"type": "string", "value": "jobs"} in values
    narrowed = ask(client, "/tempo/api/v2/search/tag/.items/values", q="{ status = error }", **RANGE)["tagValues"]
    assert narrowed == [{"type": "int", "value": "4"}]
    assert ask(client, "/tempo/api/search/tag/service.name/values", **RANGE)["tagValues"].count("shop") == 1
    assert len(ask(client, "/tempo/api/v2/search/tag/status/values")["tagValues"]) == 3


def series(client: httpx.Client, query: str, step: str = "60s") -> dict[str, list[float]]:
    answer = ask(client, "/tempo/api/metrics/query_range", q=query, step=step, exemplars=5, **RANGE)
    return {one["promLabels"]: [sample["value"] for sample in one["samples"]] for one in answer["series"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ status = error } | count_over_time()", {'{__name__="count_over_time"}': [0, 0, 0, 0, 2, 0, 0, 0, 0, 0]}),
        ("{ nestedSetLeft = 3 } | sum_over_time(.items)", {'{__name__="sum_over_time"}': [1, 2, 3, 4]}),
        ("{ name = `order` } | max_over_time(span.items)", {'{__name__="max_over_time"}': [1, 2, 3, 4]}),
        ("{ name = `nightly` } | avg_over_time(duration)", {'{__name__="avg_over_time"}': [1]}),
        ("{ name = `order` } | sum_over_time(.items) > 3", {'{__name__="sum_over_time"}': [4]}),
        ("{ name = `order` } | quantile_over_time(.items, .5) | topk(1)", {'{p="0.5"}': [1, 2, 3, 4]}),
        ("{ name = `GET /order` } &> { name = `call shop` } | count_over_time()",
         {'{__name__="count_over_time"}': [0, 2, 2, 2, 2, 0, 0, 0, 0, 0]}),
        ("({ status = error } | rate()) / ({ kind != internal } | rate()) * 100 > 1", {"{}": [40]}),
        ("{ name = `nightly` } | histogram_over_time(duration)", {'{__bucket="1"}': [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]}),
    ],
)  # fmt: skip
def test_series_over_time(client: httpx.Client, query: str, expected: Any) -> None:
    assert {labels: pytest.approx(values) for labels, values in series(client, query).items()} == expected


def test_series_have_labels_with_types_and_exemplars(client: httpx.Client) -> None:
    query = "{ name = `order` } | rate() by (resource.service.name, span.items)"
    found = ask(client, "/tempo/api/metrics/query_range", q=query, step="60s", **RANGE)["series"]
    assert len(found) == 4
    labels = {pair["key"]: pair["value"] for pair in found[3]["labels"]}
    assert labels == {"resource.service.name": {"stringValue": "shop"}, "span.items": {"intValue": "4"}}
    [exemplar] = found[3]["exemplars"]
    assert exemplar["labels"] == [{"key": "trace:id", "value": {"stringValue": ORDER}}]
    [instant] = ask(client, "/tempo/api/metrics/query", q="{ } | count_over_time()", **RANGE)["series"]
    assert instant["value"] == 21


def test_compare_tells_the_selection_from_the_rest(client: httpx.Client) -> None:
    found = ask(client, "/tempo/api/metrics/query_range", q="{ } | compare({ status = error })", step="600s", **RANGE)
    counts = {one["promLabels"]: sum(sample["value"] for sample in one["samples"]) for one in found["series"]}
    assert counts['{__meta_type="selection", kind="server"}'] == 2
    assert counts['{__meta_type="selection", resource.service.name="gateway"}'] == 1
    assert counts['{__meta_type="baseline", resource.service.name="jobs"}'] == 1
    assert counts['{__meta_type="baseline_total", name="nil"}'] == 19


def test_jaeger_answers(client: httpx.Client) -> None:
    assert ask(client, "/jaeger/api/services")["data"][:3] == ["gateway", "jobs", "shop"]
    assert ask(client, "/jaeger/api/services/gateway/operations")["data"] == ["GET /order", "call shop"]
    operations = ask(client, "/jaeger/api/operations", service="gateway", spanKind="server")["data"]
    assert operations == [{"name": "GET /order", "spanKind": "server"}]
    given = {"service": "shop", "tags": '{"items": "4"}', "start": BASE // 1000, "end": BASE // 1000 + 600_000_000}
    [trace] = ask(client, "/jaeger/api/traces", **given)["data"]
    spans = {span["operationName"]: span for span in trace["spans"]}
    assert (trace["traceID"], len(spans)) == (ORDER, 5)
    assert spans["order"]["references"][0]["spanID"] == f"{2:016x}"
    assert {"key": "items", "type": "int64", "value": 4} in spans["order"]["tags"]
    assert {"key": "error", "type": "bool", "value": True} in spans["order"]["tags"]
    assert spans["order"]["logs"][0]["fields"][0]["value"] == "exception"
    assert trace["processes"][spans["order"]["processID"]]["serviceName"] == "shop"
    assert client.get("/jaeger/api/traces").status_code == 400
    assert client.get(f"/jaeger/api/traces/{77:032x}").status_code == 404
    edges = ask(client, "/jaeger/api/dependencies", endTs=BASE // 1_000_000 + 600_000, lookback=600_000)["data"]
    assert edges == [
        {"parent": "shop", "child": "postgresql", "callCount": 8},
        {"parent": "gateway", "child": "shop", "callCount": 4},
    ]


def test_zipkins_real_exporter_and_what_it_sent(client: httpx.Client, server: RunningServer) -> None:
    exporter = ZipkinExporter(endpoint=server.http + "/zipkin/api/v2/spans")
    provider = TracerProvider(resource=Resource.create({"service.name": "billing"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("lib", "2").start_as_current_span("charge", kind=SpanKind.CLIENT) as span:
        span.set_attribute("amount", 12)
        span.add_event("retried")
        span.set_status(Status(StatusCode.ERROR, "declined"))
    provider.shutdown()
    one = f"{span.get_span_context().trace_id:032x}"
    server.wait_for("/tempo/api/search", "traces", 1, q="{ trace:id = `" + one + "` }", since="5m")
    [found] = ask(client, f"/zipkin/api/v2/trace/{one}")
    assert (found["name"], found["kind"], found["localEndpoint"]) == ("charge", "CLIENT", {"serviceName": "billing"})
    assert (found["tags"]["amount"], found["tags"]["error"]) == ("12", "declined")
    assert found["annotations"][0]["value"].startswith("retried") or "retried" in found["annotations"][0]["value"]
    assert "billing" in ask(client, "/zipkin/api/v2/services")
    assert ask(client, "/zipkin/api/v2/spans", serviceName="billing") == ["charge"]
    assert len(ask(client, "/zipkin/api/v2/traces", serviceName="billing", annotationQuery="amount=12")) == 1


def test_zipkin_v1_and_protobuf_and_what_is_refused(client: httpx.Client, server: RunningServer) -> None:
    micros = time.time_ns() // 1000
    place = {"serviceName": "old", "ipv4": "10.0.0.1"}
    call = {"traceId": "abc1", "id": "1", "name": "get", "annotations": [
        {"timestamp": micros, "value": "cs", "endpoint": place},
        {"timestamp": micros + 500, "value": "cr", "endpoint": place},
    ], "binaryAnnotations": [{"key": "path", "value": "/x", "endpoint": place}]}  # fmt: skip
    assert client.post("/zipkin/api/v1/spans", json=[call]).status_code == 202
    span = b"\x0a\x08" + bytes(6) + b"\xab\xc2" + b"\x1a\x08" + bytes(7) + b"\x02" + b"\x20\x02" + b"\x2a\x03put"
    span += b"\x31" + micros.to_bytes(8, "little") + b"\x38\x0a" + b"\x42\x05\x0a\x03new"
    body = b"\x0a" + bytes([len(span)]) + span
    headers = {"content-type": "application/x-protobuf"}
    assert client.post("/zipkin/api/v2/spans", content=body, headers=headers).status_code == 202
    server.wait_for("/tempo/api/search", "traces", 2, q="{ .service.name =~ `old|new` }", since="5m")
    [[old]] = ask(client, "/zipkin/api/v2/traceMany", traceIds="abc1")
    assert (old["kind"], old["duration"], old["tags"]["path"]) == ("CLIENT", 500, "/x")
    [new] = ask(client, "/zipkin/api/v2/trace/abc2")
    assert (new["name"], new["kind"], new["duration"], new["id"]) == ("put", "SERVER", 10, f"{2:016x}")
    for bad, words in (({}, "not a list"), ([{"id": "1"}], "[0].traceId"), ([{"traceId": "1", "id": "x"}], "[0].id"),
                       ([{"traceId": "1", "id": "1", "kind": "BOTH"}], "[0].kind")):  # fmt: skip
        refused = client.post("/zipkin/api/v2/spans", json=bad)
        assert (refused.status_code, words in refused.text) == (400, True), refused.text


def test_liveness(client: httpx.Client) -> None:
    assert client.get("/tempo/api/echo").text == "echo"
    assert client.get("/tempo/ready").status_code == 200


def test_tempos_summary_counts_servers_by_group(client: httpx.Client) -> None:
    given = {"q": '{ resource.env = "prod" }', "groupBy": "resource.service.name,status,span.http.status_code"}
    found = ask(client, "/tempo/api/metrics/summary", **given, **RANGE)["summaries"]
    counts = [(one["spanCount"], one.get("errorSpanCount")) for one in found]
    assert counts == [("3", None), ("3", None), ("1", "1"), ("1", "1")]
    [gateway] = [one for one in found if one["series"][2]["value"] == {"type": 3, "n": "200"}]
    assert gateway["series"][:2] == [
        {"key": "resource.service.name", "value": {"type": 5, "s": "gateway"}},
        {"key": "status", "value": {"type": 8, "status": 2}},
    ]
    assert gateway["p50"] == "200000000"
    for wrong in ({}, {"groupBy": "1 +"}, {"groupBy": "name) | { true"}):
        assert client.get("/tempo/api/metrics/summary", params={"q": "{ }", **wrong}).status_code == 400


def test_jaegers_third_version_answers_otlp(client: httpx.Client) -> None:
    assert ask(client, "/jaeger/api/v3/services")["services"] == ask(client, "/jaeger/api/services")["data"]
    operations = ask(client, "/jaeger/api/v3/operations", service="gateway", span_kind="server")["operations"]
    assert operations == [{"name": "GET /order", "spanKind": "server"}]
    whole = ask(client, f"/jaeger/api/v3/traces/{ORDER}")["result"]
    spans = [span for one in whole["resourceSpans"] for scope in one["scopeSpans"] for span in scope["spans"]]
    assert {span["traceId"] for span in spans} == {ORDER}
    assert {bytes.fromhex(span["spanId"]) for span in spans} == set(spans_sent())
    assert {span["kind"] for span in spans} == {2, 3}
    times = {"query.startTimeMin": "2000-01-01T00:00:00Z", "query.start_time_max": "2100-01-01T00:00:00.5Z"}
    asked = {"query.serviceName": "gateway", "query.duration_min": "350ms", "query.attributes": '{"cache": "true"}'}
    found = ask(client, "/jaeger/api/v3/traces", **times, **asked)
    assert found == ask(client, f"/jaeger/api/v3/traces/{ORDER}")
    assert (
        client.get("/jaeger/api/v3/traces", params={"query.serviceName": "gateway"}).json()["error"]["httpCode"] == 400
    )
    assert client.get(f"/jaeger/api/v3/traces/{77:032x}").status_code == 404


QUESTIONS = message_classes(
    "jaeger.test.query",
    """
message Time { int64 seconds = 1; int32 nanos = 2; }
message Pair { string key = 1; string value = 2; }
message Trace { string trace_id = 1; }
message Query { string service_name = 1; string operation_name = 2; repeated Pair attributes = 3; Time first = 4;
  Time last = 5; Time least = 6; Time most = 7; int32 depth = 8; bytes filter = 10; }
message Find { Query query = 1; }
message Names { repeated string names = 1; }
message Operations { string service = 1; string span_kind = 2; }
message Operation { string name = 1; string span_kind = 2; }
message Found { repeated Operation operations = 1; }
message Range { Time start = 1; Time end = 2; }
message Edge { string parent = 1; string child = 2; uint64 calls = 3; }
message Edges { repeated Edge edges = 1; }
""",
)


@contextmanager
def _caller(server: RunningServer, package: str, messages: Mapping[str, Any]) -> Iterator[Callable[..., bytes]]:
    """Calls a method of Jaeger's QueryService with a message's fields: the answer's bytes, of a stream all together."""
    with grpc.insecure_channel(server.grpc) as channel:

        def called(method: str, message: str, **fields: Any) -> bytes:
            body = messages[message](**fields).SerializeToString()
            path = f"/{package}.QueryService/{method}"
            if method in ("GetTrace", "FindTraces"):
                return b"".join(channel.unary_stream(path)(body, timeout=120))
            return bytes(channel.unary_unary(path)(body, timeout=120))

        yield called


def test_jaegers_third_version_over_grpc(client: httpx.Client, server: RunningServer) -> None:
    with _caller(server, "jaeger.api_v3", QUESTIONS) as called:
        names = QUESTIONS["Names"].FromString(called("GetServices", "Names")).names
        assert names == ask(client, "/jaeger/api/v3/services")["services"]
        found = QUESTIONS["Found"].FromString(
            called("GetOperations", "Operations", service="gateway", span_kind="server")
        )
        assert [(one.name, one.span_kind) for one in found.operations] == [("GET /order", "server")]
        whole = TracesData.FromString(called("GetTrace", "Trace", trace_id=ORDER))
        assert {
            span.span_id: span for one in whole.resource_spans for scope in one.scope_spans for span in scope.spans
        } == spans_sent()
        times = {"first": {"seconds": RANGE["start"]}, "last": {"seconds": RANGE["end"]}}
        query = {"service_name": "gateway", "attributes": [{"key": "cache", "value": "true"}], "depth": 10, **times}
        assert (
            TracesData.FromString(called("FindTraces", "Find", query=query | {"least": {"nanos": 350_000_000}}))
            == whole
        )
        edges = QUESTIONS["Edges"].FromString(
            called("GetDependencies", "Range", start=times["first"], end=times["last"])
        )
        asked = {"startTime": "2000-01-01T00:00:00Z", "end_time": "2100-01-01T00:00:00Z"}
        told = ask(client, "/jaeger/api/v3/dependencies", **asked)["dependencies"]
        assert told
        assert [{"parent": one.parent, "child": one.child, "callCount": str(one.calls)} for one in edges.edges] == told
        for method, message, fields, code in (
            ("GetTrace", "Trace", {"trace_id": f"{77:032x}"}, grpc.StatusCode.NOT_FOUND),
            ("GetTrace", "Trace", {"trace_id": "nonsense"}, grpc.StatusCode.INVALID_ARGUMENT),
            ("FindTraces", "Find", {"query": {"service_name": "gateway"}}, grpc.StatusCode.INVALID_ARGUMENT),
            ("FindTraces", "Find", {"query": query | {"filter": b"x"}}, grpc.StatusCode.INVALID_ARGUMENT),
            ("GetOperations", "Operations", {}, grpc.StatusCode.INVALID_ARGUMENT),
            ("FindTraceSummaries", "Find", {}, grpc.StatusCode.UNIMPLEMENTED),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                called(method, message, **fields)
            assert refused.value.code() == code, method


JAEGER = message_classes(
    "jaeger.test.asking",
    MESSAGES
    + """
message Trace { bytes trace_id = 1; }
message Chunk { repeated Span spans = 1; }
message Pair { string key = 1; string value = 2; }
message Query { string service_name = 1; string operation_name = 2; repeated Pair tags = 3; Time first = 4;
  Time last = 5; Time least = 6; Time most = 7; int32 depth = 8; }
message Find { Query query = 1; }
message Names { repeated string names = 1; }
message Operations { string service = 1; string span_kind = 2; }
message Operation { string name = 1; string span_kind = 2; }
message Found { repeated string names = 1; repeated Operation operations = 2; }
message Range { Time start = 1; Time end = 2; }
message Edge { string parent = 1; string child = 2; uint64 calls = 3; }
message Edges { repeated Edge edges = 1; }
""",
)
_MEMBERS = ("v_str", "v_bool", "v_int64", "v_float64", "v_binary")


def _told(tags: Any) -> dict[str, Any]:
    return {tag.key: getattr(tag, _MEMBERS[tag.v_type]) for tag in tags}


def test_jaegers_second_version_over_grpc(client: httpx.Client, server: RunningServer) -> None:
    with _caller(server, "jaeger.api_v2", JAEGER) as called:
        names = JAEGER["Names"].FromString(called("GetServices", "Names")).names
        assert {"gateway", "jobs", "shop"} <= set(names)
        found = JAEGER["Found"].FromString(called("GetOperations", "Operations", service="gateway"))
        assert list(found.names) == ["GET /order", "call shop"]
        assert {(one.name, one.span_kind) for one in found.operations} == {
            ("GET /order", "server"),
            ("call shop", "client"),
        }

        whole = JAEGER["Chunk"].FromString(called("GetTrace", "Trace", trace_id=bytes.fromhex(ORDER)))
        got = {span.span_id: span for span in whole.spans}
        assert got.keys() == spans_sent().keys()
        for span_id, sent in spans_sent().items():
            span = got[span_id]
            start, length = span.start_time, span.duration
            assert start.seconds * SECOND + start.nanos == sent.start_time_unix_nano
            assert length.seconds * SECOND + length.nanos == sent.end_time_unix_nano - sent.start_time_unix_nano
            assert (span.trace_id, span.operation_name) == (sent.trace_id, sent.name)
            parents = [one.span_id for one in span.references if one.ref_type == 0]
            assert parents == ([sent.parent_span_id] if sent.parent_span_id else [])
        failed = got[(3).to_bytes(8, "big")]
        told = _told(failed.tags)
        assert (told["items"], told["price"], told["span.kind"], told["error"]) == (4, "7", "server", True)
        assert told["otel.status_description"] == "no stock"
        assert failed.process.service_name == "shop"
        assert _told(failed.process.tags) == {"env": "prod", "zone": 3}
        [log] = failed.logs
        assert _told(log.fields) == {"event": "exception", "exception.type": "Deadlock"}
        job = JAEGER["Chunk"].FromString(called("GetTrace", "Trace", trace_id=b"\x05")).spans[0]
        assert [(one.trace_id[-1], one.span_id[-1], one.ref_type) for one in job.references] == [(1, 1, 1)]

        times = {"first": {"seconds": RANGE["start"]}, "last": {"seconds": RANGE["end"]}}
        query = {
            "service_name": "gateway",
            "tags": [{"key": "cache", "value": "true"}],
            "least": {"nanos": 350_000_000},
        }
        for given in (query | times, query):
            answer = JAEGER["Chunk"].FromString(called("FindTraces", "Find", query=given))
            assert {span.span_id for span in answer.spans} == got.keys()
        assert called("FindTraces", "Find", query={"service_name": "nobody"}) == b""
        for asked in ({"start": times["first"], "end": times["last"]}, {}):
            edges = JAEGER["Edges"].FromString(called("GetDependencies", "Range", **asked)).edges
            assert {(one.parent, one.child, one.calls) for one in edges} >= {("gateway", "shop", 4)}
        for method, message, fields, code in (
            ("GetTrace", "Trace", {"trace_id": bytes(15) + b"M"}, grpc.StatusCode.NOT_FOUND),
            ("GetTrace", "Trace", {"trace_id": bytes(17)}, grpc.StatusCode.INVALID_ARGUMENT),
            ("GetTrace", "Trace", {}, grpc.StatusCode.INVALID_ARGUMENT),
            ("FindTraces", "Find", {}, grpc.StatusCode.INVALID_ARGUMENT),
            ("FindTraces", "Find", {"query": query | {"depth": 5000}}, grpc.StatusCode.INVALID_ARGUMENT),
            ("GetOperations", "Operations", {}, grpc.StatusCode.INVALID_ARGUMENT),
            ("ArchiveTrace", "Trace", {}, grpc.StatusCode.UNIMPLEMENTED),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                called(method, message, **fields)
            assert refused.value.code() == code, method
