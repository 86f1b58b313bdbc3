"""Objectives: read, burning, and in the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pilothouse.cli.slo import app
from pilothouse.engine import Engine
from pilothouse.releases.comparing import compare
from pilothouse.releases.slos.burning import alerting, bad_share
from pilothouse.releases.slos.objective import Objective
from pilothouse.releases.slos.reading import read_objectives
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import to_rfc3339
from tests.releases.conftest import CANARY
from tests.releases.world import START, Version, fill

SHORT = """
service: checkout
objectives:
  - availability: 99.9 %
  - {latency: 20ms, target: 95 %, operation: POST /checkout}
  - name: threads
    good: process_threads{job="checkout"} < bool 13
    total: process_threads{job="checkout"} > bool 0
    target: 0.5
window: 7d
"""
OPEN_SLO = """
apiVersion: openslo/v1
kind: SLI
metadata: {name: fast}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: good}}}
    total: {metricSource: {type: Prometheus, spec: {query: total}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: shop
  indicatorRef: fast
  timeWindow: [{duration: 1M, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}, {displayName: better, targetPercent: 99.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: queue}
spec:
  service: shop
  indicator:
    metadata: {name: q}
    spec: {thresholdMetric: {metricSource: {type: prometheus, spec: {query: queue}}}}
  objectives: [{op: lt, value: 10, target: 0.9}]
"""


def test_the_short_form() -> None:
    first, second, third = read_objectives(SHORT)
    assert first == Objective("availability", "checkout", "availability", pytest.approx(0.999), 7 * 86400.0)
    assert (second.kind, second.below, second.operation) == ("latency", 20.0, "POST /checkout")
    assert second.words == "95 % of requests to POST /checkout take less than 20 ms"
    assert (third.kind, third.target) == ("ratio", 0.5)
    assert Objective.from_json(second.to_json()) == second


def test_open_slo() -> None:
    web, better, queue = read_objectives(OPEN_SLO)
    assert (web.name, better.name, queue.name) == ("web 1", "better", "queue")
    assert (web.good, web.total, web.window, better.target) == ("good", "total", 30 * 86400.0, pytest.approx(0.999))
    assert (queue.kind, queue.comparison, queue.below, queue.service) == ("threshold", "lt", 10.0, "shop")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("service: a", "no objective is in it"),
        ("objectives: [{availability: 99}]", "service: say which service"),
        ("service: a\nobjectives: [{availability: 100}]", "without either"),
        ("service: a\nobjectives: [{target: 99}]", "give availability, latency, or total"),
        ("service: a\nobjectives: [{availability: much}]", r"objectives\[0\]\.availability: 'much' is not a number"),
        (OPEN_SLO.replace("indicatorRef: fast", "indicatorRef: slow"), "no SLI is called 'slow'"),
        (OPEN_SLO.replace("op: lt", "op: around"), "'around' is not lt, lte"),
        (OPEN_SLO.replace("type: prometheus", "type: datadog"), "datadog is not asked"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        read_objectives(text)


def test_bad_shares_of_requests_and_of_queries(shop: Engine) -> None:
    fill(shop, Version("1.0.0", service="promising", failing=0.1, rate=40))
    available, fast, threads = (replace(one, service="promising") for one in read_objectives(SHORT))
    now = START / 1e9 + 30
    assert bad_share(shop, available, now, 30) == pytest.approx(0.1, abs=0.04)
    assert bad_share(shop, fast, now, 30) == pytest.approx(0.055, abs=0.03)
    queried = replace(
        threads,
        good=threads.good.replace("checkout", "promising"),
        total=threads.total.replace("checkout", "promising"),
    )
    found = bad_share(shop, queried, now, 30)
    assert found is not None
    assert 0 <= found <= 1
    assert bad_share(shop, replace(available, service="nobody"), now, 30) is None
    assert bad_share(shop, replace(threads, good="sum("), now, 30) is None


def test_who_is_called() -> None:
    def burn(**rates: float) -> list[dict[str, Any]]:
        windows = {"m5": 300, "m30": 1800, "h1": 3600, "h6": 21_600, "d3": 259_200}
        return [{"window_seconds": windows[name], "burn_rate": rate, "bad": 0.0} for name, rate in rates.items()]

    assert alerting(burn(m5=20, m30=20, h1=15, h6=3, d3=1)) == "page"
    assert alerting(burn(m5=2, m30=7, h1=5, h6=7, d3=1)) == "page"
    assert alerting(burn(m5=2, m30=2, h1=2, h6=1.5, d3=1.2)) == "ticket"
    assert alerting(burn(m5=20, m30=1, h1=1, h6=0.5, d3=0.5)) == ""


def test_a_missed_objective_is_in_the_verdict(shop: Engine) -> None:
    fill(
        shop,
        Version("1.0.0", service="tight", failing=0.0, rate=60),
        Version("2.0.0", service="tight", failing=0.06, rate=60),
        seed=4,
    )  # fmt: skip
    promised = [Objective("availability", "tight", "availability", 0.99)]
    found = compare(shop, "tight", "1.0.0", "2.0.0", CANARY, objectives=promised)
    said = [one for one in found.findings if one.measure == "error budget"]
    assert found.verdict == "worse"
    assert said[0].title.startswith("the objective 'availability' (99 % of requests succeed) is missed")
    assert said[0].detail["burn_rates"][1] == pytest.approx(6, abs=2)
    loose = compare(shop, "tight", "1.0.0", "2.0.0", CANARY, objectives=[replace(promised[0], target=0.5)])
    assert [one for one in loose.findings if one.measure == "error budget"] == []


def test_over_the_wire_and_from_the_command_line(address: str, tmp_path: Any) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text(SHORT)
    runner = CliRunner()
    declared = runner.invoke(app, ["apply", str(file), "--server", address])
    assert declared.stdout.splitlines()[0] == "checkout: availability: 99.9 % of requests succeed"
    at = to_rfc3339(CANARY.end)
    (found, *_) = httpx.get(f"{address}/api/slos", params={"service": "checkout", "at": at}, timeout=60).json()["slos"]
    assert (found["name"], found["target"]) == ("availability", pytest.approx(0.999))
    assert [one["window_seconds"] for one in found["burn"]] == [300, 1800, 3600, 21_600, 259_200]
    assert found["burn"][0]["burn_rate"] > 1
    assert found["alert"] == "page"
    listed = runner.invoke(app, ["list", "--server", address, "-o", "table"], env={"COLUMNS": "160"})
    assert "99.9 % of requests succeed" in listed.stdout
    for one in ("availability", "latency POST /checkout", "threads"):
        assert runner.invoke(app, ["forget", "checkout", one, "--server", address]).exit_code == 0
    assert (
        "has no objective 'threads'"
        in runner.invoke(app, ["forget", "checkout", "threads", "--server", address]).stderr
    )
    assert httpx.post(f"{address}/api/slos", json={}).status_code == 400
