"""Retention by attribute: what the rules keep, whole traces, each day once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pilothouse.engine import Engine
from pilothouse.signals.traces.asking import trace
from pilothouse.signals.traces.thinning import Rule, Thinning, rule
from pilothouse.signals.traces.traceql import TraceqlError
from tests.signals.receive.conftest import Door
from tests.signals.traces.shop_spans import BASE, CLIENT, SERVER, of, span

DAY = 86_400
NOW = BASE / 1e9


@pytest.fixture
def door(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Traces of five days ago: 1 is plain, 2 has an error in a child, 3 is slow, 4 is of another service."""
    opened = Door(tmp_path_factory.mktemp("thinning"), engine)
    spans = [span(trace, 1, 0, "GET /", SERVER, 0, 900 if trace == 3 else 20) for trace in range(1, 4)]
    spans += [span(trace, 2, 1, "SELECT", CLIENT, 5, 10, 2 if trace == 2 else 0) for trace in range(1, 4)]
    other = [span(4, 1, 0, "job", SERVER, 0, 10)]
    for one in (*spans, *other):
        one.start_time_unix_nano -= 5 * DAY * 10**9
        one.end_time_unix_nano -= 5 * DAY * 10**9
    resources = [of("shop", spans, tier="gold"), of("jobs", other, tier="dust")]
    opened.send("traces", ExportTraceServiceRequest(resource_spans=resources))
    opened.send(
        "traces", ExportTraceServiceRequest(resource_spans=[of("shop", [span(5, 1, 0, "today", SERVER, 0, 1)])])
    )
    yield opened
    opened.close()


def left(door: Door) -> str:
    rows = door.rows("SELECT hex(trace_id) AS t, count() AS n FROM spans GROUP BY t ORDER BY t")
    return " ".join(f"{int(row['t'], 16)}:{row['n']}" for row in rows)


def rules(*given: tuple[str, float]) -> list[Rule]:
    return [rule(query, days * DAY) for query, days in given]


@pytest.mark.parametrize(
    ("given", "retention", "expected"),
    [
        # All are kept for two days, errors and slow ones longer.
        ([("{ }", 2), ("{ status = error }", 30), ("{ duration > 500ms }", 14)], 30, "2:2 3:2 5:1"),
        # What no rule means is kept for the retention.
        ([("{ resource.tier = `dust` }", 2)], 30, "1:2 2:2 3:2 5:1"),
        ([("{ resource.tier = `dust` }", 20)], 3, "4:1 5:1"),
        ([("{ status = error }", 30)], 3, "2:2 5:1"),
        # Not yet.
        ([("{ }", 6), ("{ status = error }", 30)], 30, "1:2 2:2 3:2 4:1 5:1"),
        ([], 3, "1:2 2:2 3:2 4:1 5:1"),
    ],
)
def test_what_is_left(door: Door, given: list[tuple[str, float]], retention: float, expected: str) -> None:
    thinning = Thinning(door.engine, rules(*given), retention * DAY)
    done = thinning.thin(NOW)
    assert left(door) == expected
    assert [day for day, _ in done] == [datetime.fromtimestamp(NOW - 5 * DAY, UTC).date()] * len(done)
    # A day is thinned once for each time; its traces are found by their ids as before.
    assert thinning.thin(NOW) == []
    if "2:2" in expected:
        assert len(trace(door.engine, f"{2:032x}")["spans"]) == 2


@pytest.mark.parametrize(
    "query",
    ["{ } | count() > 2", "{ } > { }", "{ } | rate()", "{ .a", "{ traceDuration > 1s }", "{ .a = 1 || parent.b = 2 }"],
)
def test_a_rule_is_one_filter(query: str) -> None:
    with pytest.raises(TraceqlError):
        rule(query, 1)
