"""Rollouts over the wire and from the command line, judged on real telemetry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pilothouse.cli.rollout import app
from pilothouse.engine import Engine
from pilothouse.releases.api import routes as release_routes
from pilothouse.releases.rollout.api import routes
from pilothouse.releases.rollout.driving import BUILT_IN, Driver
from pilothouse.releases.rollout.observing import Observer
from pilothouse.releases.rollout.plan import Check
from pilothouse.releases.store import ReleaseStore
from pilothouse.signals.timerange import to_rfc3339
from tests.releases.rollout.hook import Router, router
from tests.releases.serving import serving
from tests.releases.world import SECOND, START

SECONDS = START / 1e9
PLAN = """
service: checkout
baseline: 1.0.0
candidate: CANDIDATE
traffic: {url: URL}
steps: [{weight: 50, for: 28s}]
judge: {every: 10s}
checks: [{name: success, measure: success_rate, min: 90}]
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReleaseStore]:
    made = ReleaseStore(f"sqlite:///{tmp_path}/control.db")
    yield made
    made.close()


@pytest.fixture
def hook() -> Iterator[Router]:
    with router() as made:
        yield made


@pytest.fixture
def address(shop: Engine, store: ReleaseStore) -> Iterator[str]:
    with serving(routes(shop, store, BUILT_IN)) as made:
        yield made


def started(address: str, hook: Router, **more: Any) -> dict[str, Any]:
    body = {"plan": PLAN.replace("URL", hook.url).replace("CANDIDATE", "2.0.0"), "by": "ann"} | more
    answer = httpx.post(f"{address}/api/rollouts", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(("candidate", "state"), [("2.0.0", "rolled_back"), ("2.0.1", "succeeded")])
def test_the_judge_decides_on_what_the_versions_sent(
    shop: Engine, store: ReleaseStore, address: str, hook: Router, candidate: str, state: str
) -> None:
    made = started(address, hook, candidate=candidate)
    # The telemetry is of another day: the rollout is taken back to it.
    run = store.rollouts.one(made["id"])
    assert run is not None
    store.rollouts.change(replace(run, since=SECONDS, started=SECONDS))
    driver = Driver(store.rollouts, Observer(shop, store), BUILT_IN)
    for second in (0.1, 29, 29.5):
        driver.drive(SECONDS + second)
    said = httpx.get(f"{address}/api/rollouts/{made['id']}").json()
    assert said["state"] == state, said["events"]
    verdicts = [event for event in said["events"] if event["kind"] == "verdict"]
    assert verdicts[-1]["evidence"]["verdict"] == ("worse" if state == "rolled_back" else "no_worse")
    whole = store.verdicts.whole(verdicts[-1]["evidence"]["comparison"])
    assert whole is not None
    assert whole["candidate"]["version"] == candidate
    evidence = verdicts[-1]["evidence"]
    assert evidence["page"].endswith(f"&verdict={evidence['comparison']}")
    assert hook.weights == ({"1.0.0": 100, "2.0.0": 0} if state == "rolled_back" else {"1.0.0": 0, "2.0.1": 100})


def test_measures_of_the_candidates_spans(shop: Engine, store: ReleaseStore, address: str, hook: Router) -> None:
    run = store.rollouts.one(started(address, hook)["id"])
    assert run is not None
    watching, now = Observer(shop, store), SECONDS + 30

    def value(**given: Any) -> float | None:
        return watching.measure(run, Check("c", window=30.0, **given), now)

    rate = value(measure="success_rate")
    assert rate is not None
    assert 95 < rate < 100
    assert value(measure="requests_per_second") == pytest.approx(25, rel=0.2)
    median, slowest = value(measure="duration_p50"), value(measure="duration_p99")
    assert median is not None
    assert slowest is not None
    assert 9 < median < slowest < 500
    query = 'avg(process_threads{job="{{service}}",instance=~"{{instances}}"})'
    assert value(query=query) in (11.0, 12.0, 13.0)
    assert value(query="nothing_of_the_kind") is None
    assert value(query="sum(") is None
    threads = 'avg(process_threads{job="{{service}}",instance=~"{{instances}}"})'
    assert value(query=threads, against="increase", least=1.0) == 1.0
    memory = threads.replace("process_threads", "process_memory_usage_bytes")
    assert value(query=memory, against="increase", least=1.0) == 0.0
    assert value(query=memory, against="decrease", least=1.0) == 1.0
    assert value(query=memory.replace("{{service}}", "nobody"), against="either") is None


def test_a_selector_leaves_out_what_others_say(shop: Engine, store: ReleaseStore, address: str, hook: Router) -> None:
    run = store.rollouts.one(started(address, hook, selector='deployment_environment_name="nowhere"')["id"])
    assert run is not None
    run, watching = replace(run, since=SECONDS, started=SECONDS), Observer(shop, store)
    assert watching.measure(run, Check("c", "success_rate", window=30.0), SECONDS + 30) is None
    answer = watching.judge(run, SECONDS + 30, 0.01)
    assert answer.verdict == "cannot_tell"
    assert "selector" in answer.words
    assert watching.judge(replace(run, plan=replace(run.plan, selector="")), SECONDS + 30, 0.01).verdict == "worse"
    assert watching.served(replace(run, plan=replace(run.plan, selector="")), SECONDS + 30) > 500
    assert watching.served(run, SECONDS + 30) == 0


def test_what_is_wrong_is_refused(address: str, hook: Router) -> None:
    def refused(body: dict[str, Any], path: str = "/api/rollouts") -> tuple[int, str]:
        answer = httpx.post(address + path, json=body)
        return answer.status_code, answer.json()["error"]["message"]

    assert refused({}) == (400, "plan: this field is needed: the plan as YAML text or as an object")
    assert refused({"plan": "a: [", "x": 1})[1].startswith("x: no such field")
    plan = {"service": "checkout", "traffic": {"by": "smi"}, "steps": [{"weight": 5}]}
    assert refused({"plan": plan}) == (400, "plan: traffic.by: 'smi' is not http")
    plan["traffic"] = {"url": hook.url}
    assert "is the baseline too" in refused({"plan": plan, "baseline": "1.0.0", "candidate": "1.0.0"})[1]
    assert "no version of nobody is known" in refused({"plan": plan | {"service": "nobody"}})[1]
    assert refused({"action": "abort"}, "/api/rollouts/99") == (404, "no rollout 99")
    made = started(address, hook)
    assert "'dance' is not pause" in refused({"action": "dance"}, f"/api/rollouts/{made['id']}")[1]
    for nobody in ("1000", "9" * 18, "9" * 19, "9" * 4000):
        assert httpx.get(f"{address}/api/rollouts/{nobody}").status_code == 404, nobody


def test_versions_are_found(address: str, hook: Router) -> None:
    plan = {"service": "uneven", "traffic": {"url": hook.url}, "steps": [{"weight": 5}]}
    answer = httpx.post(f"{address}/api/rollouts", json={"plan": plan, "dry_run": True})
    assert answer.status_code == 200
    assert {answer.json()["plan"]["candidate"], answer.json()["plan"]["baseline"]} < {"1.0.0", "2.0.0", "2.1.0"}


def test_from_the_command_line(address: str, hook: Router, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, [*arguments, "--server", address], env={"COLUMNS": "150", "USER": "ann"})
        return result.exit_code, result.output

    assert run("status")[0] == 3
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.replace("URL", hook.url).replace("CANDIDATE", "2.0.0"))
    code, out = run("start", str(file), "--dry-run", "--output", "table")
    assert (code, "1. 50 % of the traffic for 28s" in out) == (0, True)
    code, out = run("start", str(file), "--output", "json")
    assert json.loads(out)["events"][0]["by"] == "ann"
    number = str(json.loads(out)["id"])
    code, out = run("status", "--output", "table")
    assert (code, f"rollout {number}: checkout 2.0.0 in the place of 1.0.0" in out) == (0, True)
    assert "now paused" in run("pause", number, "--note", "lunch")[1]
    assert "now running" in run("resume", number)[1]
    assert "now rolling back" in run("abort", number)[1]
    assert run("status", number, "--output", "json")[0] == 1
    assert run("start", str(tmp_path / "no.yaml"))[0] == 3


def test_what_a_rollout_decided_on_stays_the_releases_verdict(
    shop: Engine, store: ReleaseStore, address: str, hook: Router
) -> None:
    run = store.rollouts.one(started(address, hook, candidate="2.0.1")["id"])
    assert run is not None
    watching = Observer(shop, store)
    answer = watching.judge(replace(run, since=SECONDS), SECONDS + 28, 0.01)
    store.rollouts.change(replace(run, comparison=answer.evidence["comparison"]))
    with serving(release_routes(shop, store)) as asked:
        query = {"service": "checkout", "baseline": "2.0.0", "candidate": "2.0.1"}
        at = {"start": to_rfc3339(START), "end": to_rfc3339(START + 30 * SECOND)}
        by_hand = httpx.get(f"{asked}/api/compare", params=query | at).json()
        found = httpx.get(f"{asked}/api/releases", params={"service": "checkout"}).json()["releases"]
    said = next(one for one in found if one["version"] == "2.0.1")
    assert (said["verdict"]["baseline"], said["verdict"]["rollout"]) == ("1.0.0", run.id)
    assert (said["asked_since"]["baseline"], said["asked_since"]["summary"]) == ("2.0.0", by_hand["summary"])
