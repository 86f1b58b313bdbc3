"""Spans that come late, out of order, and more than once: each is kept once, everywhere."""

from __future__ import annotations

from concurrent.futures import Future

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pilothouse.signals.resending import Taken
from pilothouse.signals.spanmetrics import SpanMetrics
from pilothouse.signals.traces.asking import trace
from pilothouse.signals.traces.graph import service_graph
from pilothouse.signals.traces.series.measuring import Question, series_of
from pilothouse.signals.traces.series.series import Steps
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.traceql import parse
from tests.signals.receive.conftest import Door, one_door
from tests.signals.traces.shop_spans import ALL, CLIENT, SERVER, of, request, span

__all__ = ["one_door"]
COUNT = parse("{ } | count_over_time()").root


def counted(door: Door) -> float:
    """The spans that a metrics query sees."""
    [series] = series_of(door.engine, COUNT, Question(Steps(ALL.start, ALL.end, ALL.end - ALL.start), 0))
    return float(series.values[0])


def test_a_span_that_is_sent_again_is_kept_once(one_door: Door) -> None:
    one_door.renew()
    metrics = SpanMetrics(one_door.engine, one_door.receiver, "both")
    whole = request()
    one_door.send("traces", whole)
    # The same bytes; the same spans in other company; one of them twice in one request.
    one_door.send("traces", whole)
    one_door.receiver.receive("traces", whole.SerializeToString()).written.result(timeout=60)
    new = span(6, 1, 0, "GET /order", SERVER, 0, 5)
    spans = [*whole.resource_spans[0].scope_spans[0].spans, new, new]
    one_door.send("traces", ExportTraceServiceRequest(resource_spans=[of("gateway", spans, env="prod")]))
    assert one_door.rows("SELECT count() AS spans FROM spans") == [{"spans": 22}]
    assert counted(one_door) == 22
    [found] = find(one_door.engine, parse("{ } | count() = 5").root, ALL, 1, 0)  # type: ignore[arg-type]
    assert found.spansets[0].matched == 5
    assert len(trace(one_door.engine, f"{4:032x}")["spans"]) == 5
    assert {(edge.client, edge.server): edge.calls for edge in service_graph(one_door.engine, ALL)} == {
        ("gateway", "shop"): 4,
        ("shop", "postgresql"): 8,
    }
    metrics.write()
    [row] = one_door.rows("SELECT sum(calls) AS calls FROM span_calls")
    assert row["calls"] == 22


def test_both_sides_of_a_call_may_share_an_id(one_door: Door) -> None:
    one_door.renew()
    one_door.send("traces", ExportTraceServiceRequest(resource_spans=[
        of("web", [span(1, 1, 0, "call", CLIENT, 0, 9)]), of("api", [span(1, 1, 0, "call", SERVER, 1, 7)]),
    ]))  # fmt: skip
    assert one_door.rows("SELECT count() AS spans FROM spans") == [{"spans": 2}]


def test_spans_that_come_backwards_and_late_make_the_same_trace(one_door: Door) -> None:
    one_door.renew()
    one_door.send("traces", request())
    expected = trace(one_door.engine, f"{4:032x}")
    one_door.renew()
    for one in reversed(request().resource_spans):
        for late in reversed(one.scope_spans[0].spans):
            sent = ExportTraceServiceRequest(resource_spans=[{"resource": one.resource, "scope_spans": [
                {"scope": one.scope_spans[0].scope, "spans": [late]}]}])  # fmt: skip
            one_door.receiver.receive("traces", sent.SerializeToString()).written.result(timeout=60)
    one_door.send("traces", ExportTraceServiceRequest(resource_spans=[of("last", [span(99, 1, 0, "x", 1, 0, 1)])]))
    assert trace(one_door.engine, f"{4:032x}") == expected


def test_what_was_not_written_is_not_taken_for_sent() -> None:
    taken, failed, written = Taken(most=2), Future[None](), Future[None]()
    taken.note(b"a", failed)
    assert taken.find(b"a") is failed
    failed.set_exception(OSError("the disk is full"))
    assert taken.find(b"a") is None
    for payload in (b"a", b"b", b"c"):
        taken.note(payload, written)
    assert (taken.find(b"a"), taken.find(b"c")) == (None, written)
    assert Taken(seconds=-1).find(b"c") is None


def test_a_large_trace_is_answered_in_part_with_its_size(one_door: Door) -> None:
    one_door.renew()
    spans = [span(1, 1, 0, "root", SERVER, 0, 1000)]
    spans += [span(1, number, max(1, number // 10), "op", CLIENT, 1, 2) for number in range(2, 3001)]
    one_door.send("traces", ExportTraceServiceRequest(resource_spans=[of("big", spans)]))
    found = trace(one_door.engine, f"{1:032x}", most=50)
    assert (found["total"], len(found["spans"])) == (3000, 50)
    ids = {one["span_id"] for one in found["spans"]}
    assert all(one["parent_span_id"] in {"", *ids} for one in found["spans"])
    assert trace(one_door.engine, f"{1:032x}")["total"] == len(spans)
