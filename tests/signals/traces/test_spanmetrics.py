"""Span metrics: counted from stored spans, written through the door, asked in PromQL with exemplars."""

from __future__ import annotations

import re
import time
from importlib import resources
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pilothouse.signals.spanmetrics import SpanMetrics
from pilothouse.signals.spanmetrics.counting import MOST_OPERATIONS, OTHER, Counting
from pilothouse.signals.spanmetrics.writing import COLLECTOR, TEMPO
from tests.signals.receive.conftest import Door, one_door
from tests.signals.traces.shop_spans import BASE, SERVER, of, request, span

__all__ = ["one_door"]


def test_every_bound_is_an_edge_of_the_engine() -> None:
    text = resources.files("pilothouse.engine").joinpath("migrations/0020_span_calls.sql").read_text()
    edges = {int(edge) for edge in re.findall(r"\d+", re.findall(r"\[0,([^\]]*)\]", text)[0])}
    assert edges == {*TEMPO.bounds, *COLLECTOR.bounds}


def test_calls_errors_and_durations(one_door: Door) -> None:
    one_door.renew()
    metrics = SpanMetrics(one_door.engine, one_door.receiver, "both")
    one_door.send("traces", request())
    assert metrics.write() == 8
    written(one_door, "traces_spanmetrics_calls", 16)
    calls = {
        (row["attributes"]["service"], row["attributes"]["span_name"], row["attributes"]["status_code"]): row["value"]
        for row in latest(one_door, "traces_spanmetrics_calls")
    }
    assert calls["gateway", "GET /order", "STATUS_CODE_UNSET"] == 3
    assert calls["gateway", "GET /order", "STATUS_CODE_ERROR"] == 1
    assert calls["shop", "SELECT stock", "STATUS_CODE_UNSET"] == 4
    assert sum(calls.values()) == 21
    # Another round counts on.
    one_door.send("traces", again())
    metrics.write()
    written(one_door, "traces_spanmetrics_calls", 26)
    [row] = [row for row in latest(one_door, "traces_spanmetrics_calls") if row["attributes"]["span_name"] == "again"]
    assert (row["value"], row["attributes"]["span_kind"]) == (2, "SPAN_KIND_SERVER")


def again() -> Any:
    """Two spans of one operation: of exactly 4 ms, and of a nanosecond more than 8 s."""
    spans = [span(8, 1, 0, "again", SERVER, 0, 4), span(8, 2, 0, "again", SERVER, 0, 8192)]
    spans[1].end_time_unix_nano += 1
    return ExportTraceServiceRequest(resource_spans=[of("gateway", spans, env="prod")])


def test_buckets_and_exemplars(one_door: Door) -> None:
    one_door.renew()
    metrics = SpanMetrics(one_door.engine, one_door.receiver, "tempo")
    one_door.send("traces", again())
    metrics.write()
    new, zero = rows(
        one_door,
        "SELECT d.count, d.sum, d.bounds, d.bucket_counts FROM distributions AS d "
        "ANY LEFT JOIN series USING (series) WHERE name = 'traces_spanmetrics_latency' ORDER BY d.time DESC",
        2,
    )
    counts = dict(zip([*new["bounds"], float("inf")], new["bucket_counts"], strict=True))
    assert {bound: count for bound, count in counts.items() if count} == {0.004: 1, 16.384: 1}
    assert (zero["count"], sum(zero["bucket_counts"])) == (0, 0)
    assert (new["count"], new["sum"]) == (2, pytest.approx(8.196000001))
    exemplars = rows(
        one_door,
        "SELECT DISTINCT hex(trace_id) AS trace, value, toUnixTimestamp64Milli(exemplars.time) AS at FROM exemplars "
        "ANY LEFT JOIN series USING (series) WHERE name = 'traces_spanmetrics_latency'",
        2,
    )
    assert {int(row["trace"], 16) for row in exemplars} == {8}
    assert {row["value"] for row in exemplars} == {0.004, 8.192000001}
    assert {row["at"] for row in exemplars} == {BASE // 10**6 + 480_000}


def test_a_service_with_too_many_operations_is_counted_together() -> None:
    counting = Counting()
    example = {"example_trace": b"", "example_span": b"", "example_duration": 1, "example_at": 1}
    one = {"identity": 1, "kind": 2, "status_code": 0, "lower": 0, "calls": 1, "took": 5} | example
    counting.add(one | {"name": f"GET /{number}"} for number in range(MOST_OPERATIONS + 50))
    found = dict(counting.recent(1))
    assert len(found) == MOST_OPERATIONS + 1
    assert found[1, OTHER, 2, 0].calls == 50
    counting.add([])
    assert counting.recent(1) == []


def latest(door: Door, name: str) -> list[dict[str, Any]]:
    found = door.rows(
        "SELECT attributes, argMax(value, time) AS value FROM (SELECT series, time, value FROM samples) AS s "
        "ANY LEFT JOIN series USING (series) WHERE name = {name:String} GROUP BY series, attributes",
        name=name,
    )
    return [row | {"attributes": dict(row["attributes"])} for row in found]


def written(door: Door, name: str, points: int) -> None:
    """Wait for so many points of a metric."""
    rows(door, f"SELECT 1 FROM samples ANY LEFT JOIN series USING (series) WHERE name = '{name}'", points)


def rows(door: Door, sql: str, least: int) -> list[dict[str, Any]]:
    """The rows of a question, when there are so many."""
    deadline = time.monotonic() + 60
    while len(found := door.rows(sql)) < least and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(found) == least
    return found
