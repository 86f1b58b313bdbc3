"""The wire, over a real port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest

from pilothouse.signals.timerange import to_rfc3339
from tests.releases.conftest import CANARY

RANGE = {"start": to_rfc3339(CANARY.start), "end": to_rfc3339(CANARY.end)}
PAIR = {"service": "checkout", "baseline": "1.0.0", "candidate": "2.0.0"}


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as opened:
        yield opened


def get(client: httpx.Client, path: str, **parameters: Any) -> Any:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def refused(client: httpx.Client, path: str, **parameters: Any) -> tuple[int, str]:
    response = client.get(path, params=parameters)
    return response.status_code, response.json()["error"]["message"]


def test_services(client: httpx.Client) -> None:
    names = [one["name"] for one in get(client, "/api/services")["services"]]
    assert "checkout" in names


def test_releases_show_the_last_verdict(client: httpx.Client) -> None:
    said = get(client, "/api/compare", **PAIR, **RANGE)
    found = {one["version"]: one for one in get(client, "/api/releases", service="checkout")["releases"]}
    assert found["2.0.1"]["verdict"] is None
    verdict = found["2.0.0"]["verdict"]
    assert verdict["verdict"] == "worse"
    assert verdict["page"].startswith("/releases/checkout/2.0.0?baseline=1.0.0")
    assert set(verdict) == {"verdict", "confidence", "summary", "said", "baseline", "at", "page", "rollout"}
    key = verdict["page"].rpartition("&verdict=")[2]
    assert get(client, f"/api/verdicts/{key}") == said
    assert refused(client, f"/api/verdicts/{int(key) + 1000}")[0] == 404
    assert found["2.0.0"]["signals"] == ["logs", "metrics", "traces", "profiles"]
    assert len(get(client, "/api/releases", limit=2)["releases"]) == 2


def test_compare_has_the_documented_shape(client: httpx.Client) -> None:
    said = get(client, "/api/compare", **PAIR, **RANGE)
    assert set(said) >= {
        "service", "baseline", "candidate", "kind", "verdict", "confidence", "summary", "missing", "signals",
        "findings", "took_seconds", "page",
    }  # fmt: skip
    assert set(said["findings"][0]) >= {
        "signal", "subject", "direction", "title", "measure", "baseline", "candidate", "unit", "change", "interval",
        "p_value", "q_value", "rank", "examples", "evidence",
    }  # fmt: skip
    assert set(said["signals"]["traces"]) == {"state", "tested", "findings", "smallest_effect", "note"}
    assert said["took_seconds"] > 0


def test_every_evidence_call_of_this_room_answers(client: httpx.Client) -> None:
    asked = 0
    for finding in get(client, "/api/compare", **PAIR, **RANGE)["findings"]:
        path = finding["evidence"]["api"]
        if path.startswith(("/api/traces/durations", "/api/metrics/range")):
            assert client.get(path).status_code == 200, path
            asked += 1
    assert asked >= 2


def test_durations(client: httpx.Client) -> None:
    said = get(
        client, "/api/traces/durations", service="checkout", operation="POST /checkout", versions="1.0.0,2.0.0", **RANGE
    )
    assert said["unit"] == "ms"
    assert set(said["versions"]) == {"1.0.0", "2.0.0"}
    assert all(len(counts) == len(said["edges"]) - 1 for counts in said["versions"].values())
    assert said["edges"] == sorted(said["edges"])
    middles = np.sqrt(np.array(said["edges"][1:]) * np.array(said["edges"][:-1]))
    means = [np.average(middles, weights=said["versions"][version]) for version in ("1.0.0", "2.0.0")]
    assert means[0] == pytest.approx(10.2, rel=0.1)
    assert means[1] == pytest.approx(10.2 * 2.5, rel=0.15)


def test_a_gauge_over_time(client: httpx.Client) -> None:
    said = get(
        client, "/api/metrics/range", service="checkout", name="process.memory.usage", versions="1.0.0,2.0.0", **RANGE
    )
    assert (said["unit"], said["kind"]) == ("By", "value")
    last = {one["version"]: one["points"][-1] for one in said["series"]}
    assert last["2.0.0"][1] - last["1.0.0"][1] == pytest.approx(60e6, rel=0.1)
    assert CANARY.start / 1e9 <= last["2.0.0"][0] <= CANARY.end / 1e9


def test_a_counter_is_a_rate_and_a_histogram_a_mean(client: httpx.Client) -> None:
    asked = {"service": "checkout", "versions": "1.0.0", **RANGE}
    cpu = get(client, "/api/metrics/range", name="process.cpu.time", **asked)
    assert (cpu["unit"], cpu["kind"]) == ("s/s", "rate")
    values = [value for one in cpu["series"] for _, value in one["points"]]
    assert np.mean(values) == pytest.approx(25 * 0.015, rel=0.2)
    duration = get(
        client, "/api/metrics/range", name="http.server.request.duration", labels='http_request_method="POST"', **asked
    )
    assert (duration["unit"], duration["kind"]) == ("s", "mean")
    assert np.mean([value for one in duration["series"] for _, value in one["points"]]) == pytest.approx(
        0.0102, rel=0.1
    )


@pytest.mark.parametrize(
    ("path", "parameters", "status", "message"),
    [
        ("/api/compare", {"service": "checkout"}, 400, "baseline: this parameter is needed"),
        ("/api/compare", PAIR | {"sinc": "1h"}, 400, "sinc: no such parameter"),
        ("/api/compare", PAIR | {"since": "lately"}, 400, "since: 'lately' is not a duration"),
        ("/api/compare", PAIR | {"candidate": "1.0.0"}, 400, "candidate: 1.0.0 cannot be compared with itself"),
        ("/api/compare", PAIR | {"selector": 'zone="x"'}, 404, 'nothing that matches the selector zone="x"'),
        ("/api/compare", PAIR | {"candidate": "7"}, 404, "known are"),
        ("/api/compare", PAIR | {"service": "nobody"}, 404, "no service is called 'nobody'; known are"),
        ("/api/compare", PAIR | {"selector": "region=eu"}, 400, "selector"),
        ("/api/releases", {"service": "nobody"}, 404, "no service is called 'nobody'"),
        ("/api/releases", {"limit": "many"}, 400, "limit: 'many' is not a whole number"),
        ("/api/services", {"until": "1"}, 400, "until: no such parameter"),
        (
            "/api/traces/durations",
            {"service": "checkout", "operation": "x", "versions": "9"},
            404,
            "has no version '9'",
        ),
        ("/api/traces/durations", {"service": "checkout", "operation": "x", "versions": ","}, 400, "versions"),
        ("/api/metrics/range", {"service": "nobody", "name": "x", "versions": "1"}, 404, "no service is called"),
        ("/api/metrics/range", {"service": "checkout", "name": "x", "versions": "1.0.0"}, 404, "no metric called 'x'"),
    ],
)
def test_bad_questions_are_answered_in_words(
    client: httpx.Client, path: str, parameters: dict[str, str], status: int, message: str
) -> None:
    code, said = refused(client, path, **parameters)
    assert code == status
    assert message in said


def test_the_page_shows_a_comparison_of_parts_as_it_was_given(client: httpx.Client) -> None:
    """`baseline=1.0.0` in its address would ask for all of it."""
    found = get(client, "/api/compare", **PAIR, baseline_where='service_version="1.0.0"', **RANGE)
    number = parse_qs(urlsplit(found["page"]).query)["verdict"][0]
    kept = get(client, f"/api/verdicts/{number}")
    assert (kept["summary"], kept["baseline"]) == (found["summary"], found["baseline"])
    assert "verdict=" not in get(client, "/api/compare", **PAIR, **RANGE)["page"]


def test_an_operation_that_was_never_seen(client: httpx.Client) -> None:
    code, said = refused(
        client, "/api/traces/durations", service="checkout", operation="GET /nothing", versions="1.0.0", **RANGE
    )
    assert code == 404
    assert "no span called 'GET /nothing'" in said


def test_a_mark_is_put_to_its_release(client: httpx.Client) -> None:
    made = client.post("/api/releases", json={"service": "checkout", "version": "2.0.1", "commit": "abc", "by": "ci"})
    assert made.status_code == 201
    assert made.json()["kind"] == "release"
    found = {one["version"]: one for one in get(client, "/api/releases", service="checkout")["releases"]}
    assert found["2.0.1"]["mark"]["commit"] == "abc"
    assert found["2.0.0"]["mark"] is None


def test_a_marked_version_is_there_before_its_telemetry(client: httpx.Client) -> None:
    client.post("/api/releases", json={"service": "brand-new", "version": "0.1.0", "at": "10m"})
    (found,) = get(client, "/api/releases", service="brand-new")["releases"]
    assert (found["version"], found["signals"], found["instances"]) == ("0.1.0", [], 0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"version": "1"}, "service: this field is needed"),
        ({"service": "a", "version": "1", "kind": "party"}, "kind: 'party' is not release or config"),
        ({"service": "a", "version": "1", "url": "javascript:1"}, "url: write an address"),
        ({"service": "a", "version": ["1"]}, "version: must be text"),
        ({"service": "a", "version": "1" * 300}, "version: is longer than 255"),
        ({"service": "a", "version": "1", "at": "soon"}, "at: 'soon' is not a time"),
        ({"service": "a", "version": "1", "colour": "red"}, "colour: no such field"),
    ],
)
def test_a_wrong_mark_is_refused_in_words(client: httpx.Client, body: dict[str, Any], words: str) -> None:
    answer = client.post("/api/releases", json=body)
    assert (answer.status_code, answer.json()["error"]["message"].startswith(words)) == (400, True), answer.text


def test_only_json_is_taken(client: httpx.Client) -> None:
    """What a page of another origin may send without asking (a form, plain text) marks nothing."""
    sent = '{"service": "a", "version": "1"}'
    assert client.post("/api/releases", content=sent, headers={"content-type": "text/plain"}).status_code == 400
    for content in ("[]", "{", "1" * 2_000_000):
        answer = client.post("/api/releases", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400, content[:10]


def test_two_parts_of_one_version(client: httpx.Client) -> None:
    said = get(client, "/api/compare", service="checkout", baseline_where='service_instance_id="1.0.0-a"',
               candidate_where='service_instance_id="2.0.0-a"', **RANGE)  # fmt: skip
    assert said["kind"] == "subsets"
    assert said["baseline"]["version"] == '{service_instance_id="1.0.0-a"}'
    assert said["verdict"] == "worse"


def test_two_times_of_one_version(client: httpx.Client) -> None:
    from tests.releases.world import SECOND, START

    said = get(client, "/api/compare", service="checkout", baseline="1.0.0", candidate="1.0.0",
               baseline_start=to_rfc3339(START), baseline_end=to_rfc3339(START + 15 * SECOND),
               candidate_start=to_rfc3339(START + 15 * SECOND), candidate_end=RANGE["end"])  # fmt: skip
    assert said["kind"] == "before_after"
    assert said["verdict"] != "worse"


def test_sides_that_say_nothing_are_refused(client: httpx.Client) -> None:
    assert refused(client, "/api/compare", service="checkout") == (400, "baseline: this parameter is needed")
    status, words = refused(client, "/api/compare", service="checkout", kind="canary")
    assert (status, "is not migration" in words) == (400, True)
