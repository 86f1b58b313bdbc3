"""The whole shop as real processes: what it serves, and what telemetry it sends."""

from __future__ import annotations

import ast
import time
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from pilothouse.demo import repository
from pilothouse.demo.processes import Processes
from pilothouse.demo.system import Service, System
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from pilothouse.signals.traces.graph import service_graph
from tests.demo.sink import Record, Sink, values
from tests.signals.receive.conftest import Door
from tests.signals.traces.shop_spans import pairs

WALLET = [f"SAIL{n}-{300 + n}-0" for n in range(14)]
ORDER = {"items": {"compasses-07": 2, "ropes-11": 1}, "coupons": WALLET}
IDENTITY = ("service.name", "service.version", "service.instance.id", "deployment.environment.name")
SERVICES = {"gateway", "catalog", "payments", "checkout"}


@dataclass(frozen=True)
class Shop:
    """The gateway, and a checkout of each version."""

    gateway: Service
    stable: Service
    canary: Service


@pytest.fixture(scope="module")
def shop(sink: Sink, processes: Processes) -> Shop:
    """All services, after some orders at each version of checkout."""
    system = System(processes, (sink.http, sink.grpc, sink.http), processes.check)
    catalog, payments = system.start_service("catalog", "1.4.0"), system.start_service("payments", "2.3.1")
    behind = {"SHOP_CATALOG": catalog.address, "SHOP_PAYMENTS": payments.address}
    before, after = str(repository.pricing()), str(repository.pricing("regression"))
    stable = system.start_service("checkout", "1.0.0", **behind, SHOP_PRICING=before)
    canary = system.start_service("checkout", "2.0.0", **behind, SHOP_PRICING=after)
    gateway = system.start_service("gateway", "3.0.2", SHOP_CATALOG=catalog.address, SHOP_CHECKOUT=stable.address)
    system.wait_ready(*(one.address for one in (catalog, payments, stable, canary, gateway)))
    system.split_checkout(gateway, stable, canary)
    with httpx.Client(base_url=gateway.address) as visitor:
        for _ in range(80):
            visitor.post("/checkout", json=ORDER)
            visitor.get("/products", params={"category": "ropes"})
    sink.wait(lambda seen: {one.labels["service_name"] for one in seen.profiles} >= {"checkout", "gateway"})
    sink.wait(lambda seen: len(of(seen.spans, "gateway")) >= 320)
    for version in ("1.0.0", "2.0.0"):
        sink.wait(lambda seen, version=version: len(of(seen.spans, "checkout", version)) >= 80)
        sink.wait(lambda seen, version=version: of(seen.metrics, "checkout", version))
        sink.wait(lambda seen, version=version: version in {one.labels["service.version"] for one in seen.profiles})
    system.close()
    return Shop(gateway, stable, canary)


def of(records: list[Record], service: str, version: str | None = None) -> list[Record]:
    """The records of one service."""
    return [
        one
        for one in records
        if one.resource["service.name"] == service and version in (None, one.resource["service.version"])
    ]


def test_visitors_get_answers(shop: Shop) -> None:
    address = shop.gateway.address
    assert len(httpx.get(f"{address}/products", params={"category": "lamps"}).json()) == 20
    assert httpx.get(f"{address}/products/lamps-03").json()["category"] == "lamps"
    assert httpx.get(f"{address}/products/lamps-999").status_code == 404
    assert httpx.post(f"{address}/checkout", json={"items": {"lamps-03": 1}}).status_code in (201, 402)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"{}", b'{"items": 3}', b'{"items": {"a": "b"}}', b'{"items": {}, "coupons": 1}']
)
def test_bad_orders_are_refused(shop: Shop, body: bytes) -> None:
    answer = httpx.post(f"{shop.gateway.address}/checkout", content=body)
    assert answer.status_code == 400
    assert "bad order" in answer.json()["error"]


def test_bad_coupons_are_refused(shop: Shop) -> None:
    for coupons in (["SAIL"], ["SAIL-a-b"], WALLET * 2):
        answer = httpx.post(f"{shop.gateway.address}/checkout", json={"items": {}, "coupons": coupons})
        assert answer.status_code == 400


def test_a_bad_split_changes_nothing(shop: Shop) -> None:
    for split in ([], [{"address": "http://x", "weight": 0}], [{"weight": 1}], {"a": 1}, [7]):
        answer = httpx.put(f"{shop.gateway.address}/-/routes/checkout", json=split)
        assert answer.status_code == 400
    assert httpx.post(f"{shop.gateway.address}/checkout", json=ORDER).status_code in (201, 402, 502)


def test_the_canary_gets_half_of_the_orders(shop: Shop, sink: Sink) -> None:
    def served(version: str) -> int:
        server = [span for span in of(sink.spans, "checkout", version) if span.body.kind == span.body.SPAN_KIND_SERVER]
        return len(server)

    sink.wait(lambda _: min(served("1.0.0"), served("2.0.0")) >= 40)
    sink.wait(lambda _: abs(served("1.0.0") - served("2.0.0")) <= 2)


def test_every_signal_of_every_service_says_who_speaks(shop: Shop, sink: Sink) -> None:
    said: dict[str, set[tuple[str, ...]]] = defaultdict(set)

    def all_said(_: Sink) -> bool:
        for name, records in (("spans", sink.spans), ("metrics", sink.metrics), ("logs", sink.logs)):
            said[name] = {tuple(one.resource[label] for label in IDENTITY) for one in records}
        said["profiles"] = {tuple(one.labels[label] for label in IDENTITY) for one in sink.profiles}
        checkouts = {who for who in said["spans"] if who[0] == "checkout"}
        return said["metrics"] == said["spans"] and checkouts <= said["logs"] & said["profiles"]

    sink.wait(all_said)
    assert {who[0] for who in said["spans"]} == SERVICES
    assert said["logs"] <= said["spans"]
    assert said["profiles"] <= said["spans"]
    assert {who[3] for who in said["spans"]} == {"demo"}


def test_profiles_carry_the_whole_resource(shop: Shop, sink: Sink) -> None:
    extra = {"__name__", "service_name", "otel.scope.name", "otel.scope.version"}
    resource = of(sink.metrics, "checkout", "2.0.0")[0].resource
    profile = next(one for one in sink.profiles if one.labels["service.version"] == "2.0.0")
    assert {name: value for name, value in profile.labels.items() if name not in extra} == resource


def test_both_protocols_are_used(shop: Shop, sink: Sink) -> None:
    assert {one.over for one in of(sink.spans, "gateway")} == {"grpc"}
    assert {one.over for one in of(sink.spans, "checkout")} == {"http"}


def test_a_trace_crosses_all_services(shop: Shop, sink: Sink) -> None:
    def whole(trace: list[Record]) -> bool:
        ids = {one.body.span_id for one in trace}
        roots = [one.body.name for one in trace if not one.body.parent_span_id]
        return roots == ["POST /checkout"] and ids >= {one.body.parent_span_id for one in trace} - {b""}

    def crossing(_: Sink) -> bool:
        # Each service sends its spans when it sends them: of the last ones some are there and others not yet.
        traces: dict[bytes, list[Record]] = defaultdict(list)
        for span in sink.spans:
            traces[span.body.trace_id].append(span)
        all_services = [one for one in traces.values() if {span.resource["service.name"] for span in one} == SERVICES]
        return len(all_services) > 40 and all(map(whole, all_services))

    sink.wait(crossing)


def test_spans_follow_the_conventions(shop: Shop, sink: Sink) -> None:
    names = {(one.resource["service.name"], one.body.kind, one.body.name) for one in sink.spans}
    server, client = 2, 3
    assert ("catalog", server, "GET /prices") in names
    assert ("payments", server, "POST /charges") in names
    assert ("checkout", client, "POST /charges") in names
    assert not any("/-/" in name for _, _, name in names)
    span = next(one for one in of(sink.spans, "checkout") if one.body.kind == server)
    assert values(span.body.attributes).items() >= {"http.request.method": "POST", "http.route": "/checkout"}.items()


def test_durations_have_exemplars_of_known_traces(shop: Shop, sink: Sink) -> None:
    def known(_: Sink) -> bool:
        exemplars = {
            exemplar.trace_id
            for metric in of(sink.metrics, "checkout")
            if metric.body.name == "http.server.request.duration"
            for point in metric.body.histogram.data_points
            for exemplar in point.exemplars
        }
        return bool(exemplars) and exemplars <= {span.body.trace_id for span in sink.spans}

    sink.wait(known)


def test_metrics_of_the_process_and_of_the_business(shop: Shop, sink: Sink) -> None:
    newest = {metric.body.name: metric.body for metric in of(sink.metrics, "checkout", "1.0.0")}
    assert newest["process.cpu.time"].sum.is_monotonic
    assert {values(one.attributes)["cpu.mode"] for one in newest["process.cpu.time"].sum.data_points} == {
        "user",
        "system",
    }
    assert newest["process.memory.usage"].sum.data_points[0].as_int > 10_000_000

    def placed(_: Sink) -> bool:
        orders = [one.body for one in of(sink.metrics, "checkout", "1.0.0") if one.body.name == "shop.orders"][-1:]
        points = [point for one in orders for point in one.sum.data_points]
        return any(values(one.attributes)["shop.order.outcome"] == "placed" and one.as_int > 20 for one in points)

    sink.wait(placed)


def test_logs_carry_their_trace(shop: Shop, sink: Sink) -> None:
    def placed() -> list[Record]:
        return [one for one in of(sink.logs, "checkout") if "placed" in one.body.body.string_value]

    sink.wait(lambda _: len(placed()) > 50)
    sink.wait(lambda _: {one.body.trace_id for one in placed()} <= {span.body.trace_id for span in sink.spans})
    assert {one.body.severity_text for one in placed()} == {"INFO"}


def test_only_version_2_logs_the_new_error(shop: Shop, sink: Sink) -> None:
    def errors(version: str) -> int:
        return sum("coupon combinations" in one.body.body.string_value for one in of(sink.logs, "checkout", version))

    sink.wait(lambda _: errors("2.0.0") > 30)
    assert errors("1.0.0") == 0


def test_only_version_2_keeps_memory(shop: Shop, sink: Sink) -> None:
    def growth(version: str) -> int:
        usages = [
            metric.body.sum.data_points[0].as_int
            for metric in of(sink.metrics, "checkout", version)
            if metric.body.name == "process.memory.usage"
        ]
        return usages[-1] - min(usages)

    sink.wait(lambda _: growth("2.0.0") > growth("1.0.0") + 4_000_000)


def test_only_version_2_burns_cpu_in_the_telling_function(shop: Shop, sink: Sink) -> None:
    def burning(version: str) -> bool:
        whose = ("checkout", version)
        profiles = [
            one for one in sink.profiles if (one.labels["service.name"], one.labels["service.version"]) == whose
        ]
        return any("try_all_coupon_combinations" in one.functions for one in profiles)

    sink.wait(lambda _: burning("2.0.0"))
    assert not burning("1.0.0")


def test_only_version_2_is_slower(shop: Shop, sink: Sink) -> None:
    def median_ms(version: str) -> float:
        taken = sorted(
            one.body.end_time_unix_nano - one.body.start_time_unix_nano
            for one in of(sink.spans, "checkout", version)
            if one.body.name == "POST /checkout"
        )
        return taken[len(taken) // 2] / 1e6

    assert median_ms("2.0.0") > median_ms("1.0.0") + 5


def test_the_service_graph_is_the_one_the_code_says(shop: Shop, sink: Sink, tmp_path: Path) -> None:
    door = Door(tmp_path)
    try:
        spans = [
            {"resource": {"attributes": pairs(one.resource)}, "scope_spans": [{"spans": [one.body]}]}
            for one in answered(list(sink.spans))
        ]
        door.send("traces", ExportTraceServiceRequest(resource_spans=spans))  # type: ignore[arg-type]
        now = time.time_ns()
        edges = service_graph(door.engine, TimeRange(now - 3600 * NANOSECONDS, now))
    finally:
        door.close()
    found = {(edge.client, edge.server): edge.calls for edge in edges}
    assert set(found) == calls_in_the_code()
    # An order asks for prices once, unless it is refused before; and is charged once or, after a failure, twice.
    assert 0 < found["checkout", "catalog"] <= found["gateway", "checkout"]
    assert found["checkout", "payments"] <= 2 * found["checkout", "catalog"]


def answered(spans: list[Record]) -> list[Record]:
    """Without the traces in which a call has no other side yet: it is being answered, or its span is under way."""
    parents = {one.body.parent_span_id for one in spans}
    open_ones = {
        one.body.trace_id for one in spans if one.body.kind == Span.SPAN_KIND_CLIENT and one.body.span_id not in parents
    }
    kept = [one for one in spans if one.body.trace_id not in open_ones]
    assert len(kept) > len(spans) / 2
    return kept


def calls_in_the_code() -> set[tuple[str, str]]:
    """Who calls whom: a module of the shop that reads the address of a service, which `Settings` has a field for."""
    directory = Path(str(files("pilothouse.demo.shop")))
    return {
        (path.stem, node.attr)
        for path in directory.glob("*.py")
        if path.stem in SERVICES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in SERVICES and ast.unparse(node.value).endswith("settings")
    }
