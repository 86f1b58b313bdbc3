"""From a point of each signal to the other three, over a real port."""

from __future__ import annotations

from typing import Any

import httpx

from pilothouse.signals.timerange import to_rfc3339
from tests.releases.world import SECOND, START
from tests.signals.correlate.conftest import span_of, trace_of


def at(seconds: float) -> str:
    return to_rfc3339(int(START + seconds * SECOND))


def ask(address: str, **parameters: Any) -> Any:
    response = httpx.get(f"{address}/api/correlate", params=parameters, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


def test_from_a_span_to_its_lines_metrics_and_stacks(address: str) -> None:
    said = ask(address, trace_id=trace_of(507).hex(), span_id=span_of(507).hex())
    assert said["anchor"]["kind"] == "span"
    assert (said["logs"]["by"], said["logs"]["count"]) == ("span id", 1)
    assert said["logs"]["examples"][0]["body"] == "gift card 507 locked"
    assert said["traces"]["by"] == "trace id"
    assert said["traces"]["api"] == f"/api/traces/{trace_of(507).hex()}"
    assert said["metrics"]["examples"][0]["name"] == "queue.size"
    # The profiler speaks for the same instance under labels of its own.
    assert (said["profiles"]["by"], said["profiles"]["examples"][0]["function"]) == ("span id", "unlock")
    assert len(said["profiles"]["examples"]) == 1


def test_a_span_without_samples_of_its_own_falls_back_to_its_time(address: str) -> None:
    said = ask(address, trace_id=trace_of(506).hex(), span_id=span_of(506).hex())
    assert said["profiles"]["by"] == "identity and time"
    assert {one["function"]: round(one["share"], 2) for one in said["profiles"]["examples"]} == {
        "place": 0.7,
        "unlock": 0.3,
    }


def test_from_a_metric_by_its_exemplars(address: str) -> None:
    said = ask(address, selector='service_name="checkout"', metric="latency", start=at(50), end=at(52))
    assert said["traces"]["by"] == "exemplars"
    assert [one["trace_id"] for one in said["traces"]["examples"]] == [trace_of(507).hex()]
    assert said["logs"]["by"] == "exemplars"
    assert said["logs"]["count"] == 1
    assert (said["profiles"]["by"], said["profiles"]["examples"][0]["function"]) == ("exemplars", "unlock")
    assert len(said["profiles"]["examples"]) == 1


def test_from_a_log_line_by_time(address: str) -> None:
    said = ask(address, selector='service_name="checkout"', at=at(52), around="1s")
    assert said["anchor"]["kind"] == "time"
    assert said["logs"]["count"] == 20
    assert said["traces"]["count"] == 20
    assert said["traces"]["examples"][0]["duration_ms"] == 500


def test_the_series_that_deviates_most_leads(address: str) -> None:
    said = ask(address, selector='service_name="checkout"', at=at(52), around="1s")
    first, second = said["metrics"]["examples"]
    assert (first["name"], second["name"]) == ("queue.size", "threads")
    assert first["during"] > 100 > first["before"]
    assert first["score"] > 20 > second["score"]


def test_series_without_a_time_before_are_there_without_a_distance(address: str) -> None:
    said = ask(address, selector='service_name="checkout"', start=at(-100), end=at(60))["metrics"]
    assert said["count"] == 2
    assert [(one["name"], one["before"], one["during"], one["score"]) for one in said["examples"]] == [
        ("queue.size", None, 107.0, 0.0),
        ("threads", None, 11.0, 0.0),
    ]


def test_a_trace_names_the_services_that_are_not_the_points_own(address: str) -> None:
    said = ask(address, trace_id=trace_of(507).hex(), selector='region="us"')
    assert not said["resources"]
    assert said["traces"]["examples"][0]["service"] == "checkout"


def test_from_a_function_to_the_spans_that_ran_it(address: str) -> None:
    said = ask(address, selector='service_name="checkout"', function="pay", start=at(40), end=at(60))
    assert said["traces"]["by"] == "span profiles"
    assert [one["trace_id"] for one in said["traces"]["examples"]] == [trace_of(507).hex()]
    assert (said["logs"]["by"], said["logs"]["examples"][0]["body"]) == ("span profiles", "gift card 507 locked")
    assert said["profiles"]["by"] == "function"
    assert [one["function"] for one in said["profiles"]["examples"]] == ["unlock"], "what it calls, and nothing else"
    said = ask(address, function="pay", start=at(40), end=at(60))
    assert said["anchor"] == {"kind": "function", "start": at(40), "end": at(60), "function": "pay"}


def test_nobody_there_is_an_answer_of_nothing(address: str) -> None:
    said = ask(address, selector='service_name="nobody"', at=at(52))
    assert [said[signal]["count"] for signal in ("logs", "traces", "metrics", "profiles")] == [0, 0, 0, 0]


def test_what_is_wrong_is_said(address: str) -> None:
    for parameters, status, words in (
        ({"trace_id": "x"}, 400, "trace_id: 'x' is not a trace id"),
        ({"trace_id": "1" * 32}, 404, "no trace 1111"),
        ({"span_id": "1" * 16}, 400, "give trace_id with it"),
        ({"trace_id": trace_of(1).hex(), "span_id": "1"}, 400, "is not a span id"),
        ({"metric": "a", "function": "b"}, 400, "either metric or function"),
        ({"metric": "latencyy", "start": at(0), "end": at(60)}, 404, "no metric is called 'latencyy' there"),
        ({"function": "payy", "start": at(0), "end": at(60)}, 404, "no function is called 'payy' there"),
        ({"around": "soon"}, 400, "around: 'soon' is not a duration"),
    ):
        response = httpx.get(f"{address}/api/correlate", params=parameters)
        assert (response.status_code, words in response.json()["error"]["message"]) == (status, True), response.text
