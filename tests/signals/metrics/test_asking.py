"""Questions about metrics: which series there are, counters as rates, gauges as last values, on a grid."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from pilothouse.engine import Engine
from pilothouse.signals.metrics.asking import MetricQuestion, find_series, points
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from tests.signals.receive.conftest import Door

BASE = time.time_ns() // (60 * NANOSECONDS) * 60 * NANOSECONDS - 1200 * NANOSECONDS
ALL = TimeRange(BASE, BASE + 600 * NANOSECONDS)
TICKS = range(0, 601, 10)


def _pairs(**labels: str) -> list[KeyValue]:
    return [KeyValue(key=key.replace("_", "."), value=AnyValue(string_value=text)) for key, text in labels.items()]


def _at(second: int) -> dict[str, int]:
    return {"time_unix_nano": BASE + second * NANOSECONDS, "start_time_unix_nano": BASE}


def _counter(route: str, per_tick: int) -> list[m.NumberDataPoint]:
    labels = _pairs(http_route=route)
    return [m.NumberDataPoint(as_int=per_tick * (second // 10), attributes=labels, **_at(second)) for second in TICKS]


def _histogram() -> list[m.HistogramDataPoint]:
    return [
        m.HistogramDataPoint(count=2 * second, bucket_counts=[second, second], explicit_bounds=[1.0], **_at(second))
        for second in TICKS
    ]


@pytest.fixture(scope="module")
def door(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Ten minutes of a counter with two routes, a gauge and a histogram."""
    opened = Door(tmp_path_factory.mktemp("metrics"), files_engine)
    gauge = [m.NumberDataPoint(as_double=second / 10, **_at(second)) for second in TICKS]
    counters = _counter("/a", 5) + _counter("/b", 20)
    found = [
        m.Metric(name="requests", unit="{request}", description="served",
                 sum={"data_points": counters, "aggregation_temporality": 2, "is_monotonic": True}),
        m.Metric(name="temperature", unit="Cel", gauge={"data_points": gauge}),
        m.Metric(name="latency", unit="s", histogram={"data_points": _histogram(), "aggregation_temporality": 2}),
    ]  # fmt: skip
    resource = {"attributes": _pairs(service_name="shop", env="prod")}
    opened.send(
        "metrics",
        ExportMetricsServiceRequest(resource_metrics=[{"resource": resource, "scope_metrics": [{"metrics": found}]}]),
    )
    yield opened
    opened.close()


def _ask(door: Door, selector: str = "", **fields: Any) -> dict[str, dict[str, Any]]:
    question = MetricQuestion(parse_selector(selector), fields.pop("within", ALL), **fields)
    return {f"{row['name']}{row['labels'].get('http.route', '')}": row for row in points(door.engine, question)}


def test_what_a_series_is(door: Door) -> None:
    found = _ask(door)["requests/a"]
    assert found["labels"] == {"service.name": "shop", "env": "prod", "http.route": "/a"}
    described = ("type", "unit", "description", "temporality", "is_monotonic", "value")
    assert [found[name] for name in described] == ["sum", "{request}", "served", "cumulative", True, "rate"]
    assert found["last_seen"] == BASE / NANOSECONDS + 600


def test_a_counter_is_a_rate_a_second_at_each_step(door: Door) -> None:
    found = _ask(door, name="requests", step=60)
    for route, rate in (("/a", 0.5), ("/b", 2.0)):
        moments, values = zip(*found[f"requests{route}"]["points"], strict=True)
        assert moments == tuple(range(BASE // NANOSECONDS + 60, BASE // NANOSECONDS + 601, 60))
        # The first window begins before the counter does, so that its rate is less (as in Prometheus).
        assert values[0] == pytest.approx(rate / 2)
        assert values[1:] == pytest.approx([rate] * 9)


def test_a_gauge_is_its_last_value_at_each_step(door: Door) -> None:
    found = _ask(door, name="temperature", step=60)["temperature"]
    assert found["value"] == "last"
    assert [value for _, value in found["points"]] == [second / 10 for second in range(60, 601, 60)]


def test_a_histogram_is_the_rate_of_its_count(door: Door) -> None:
    found = _ask(door, name="latency", step=60)["latency"]
    assert found["value"] == "count rate"
    assert [value for _, value in found["points"]][1:] == pytest.approx([2.0] * 9)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", {"requests/a", "requests/b", "temperature", "latency"}),
        ('http_route="/a"', {"requests/a"}),
        ('service_name="shop", http_route=""', {"temperature", "latency"}),
        ('env="prod", http_route=~"/.*"', {"requests/a", "requests/b"}),
        ('service_name="other"', set()),
    ],
)
def test_a_label_may_be_the_resource_s_or_the_series_own(door: Door, selector: str, names: set[str]) -> None:
    assert _ask(door, selector).keys() == names


def test_a_metric_that_only_begins_like_the_one_asked_for_is_another(door: Door) -> None:
    assert _ask(door, name="request") == {}


def test_a_range_before_and_one_after(door: Door) -> None:
    assert _ask(door, within=TimeRange(BASE - 7200 * NANOSECONDS, BASE - 3600 * NANOSECONDS)) == {}
    question = MetricQuestion(parse_selector(""), TimeRange(BASE + 3600 * NANOSECONDS, BASE + 3700 * NANOSECONDS))
    assert find_series(door.engine, question) == []


def test_no_more_than_asked_for(door: Door) -> None:
    assert len(_ask(door, limit=2)) == 2


@pytest.mark.parametrize(
    ("seconds", "step", "grid"), [(600, 60, 60), (600, 0, 6), (600, 0.2, 1), (30 * 86400, 1, 236), (1, 0, 1)]
)
def test_a_grid_has_whole_seconds_and_not_too_many(seconds: int, step: float, grid: int) -> None:
    question = MetricQuestion(parse_selector(""), TimeRange(0, seconds * NANOSECONDS), step=step)
    assert question.grid_step == grid
    assert seconds / question.grid_step <= 11_000


def test_series_by_the_same_attributes_in_another_order_are_one(door: Door) -> None:
    one, two = _pairs(a="1", b="2"), _pairs(b="2", a="1")
    gauge = {
        "data_points": [m.NumberDataPoint(as_int=n, attributes=labels, **_at(n)) for n, labels in ((1, one), (2, two))]
    }
    scope = [{"metrics": [m.Metric(name="ordered", gauge=gauge)]}]
    door.send("metrics", ExportMetricsServiceRequest(resource_metrics=[{"scope_metrics": scope}]))
    assert len(find_series(door.engine, MetricQuestion(parse_selector(""), ALL, name="ordered"))) == 1
