"""What follows from the judge, the checks, a person and a router that fails; time is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pilothouse.releases.comparison import Verdict
from pilothouse.releases.rollout.acting import act, start
from pilothouse.releases.rollout.asking import Answer
from pilothouse.releases.rollout.driving import Driver
from pilothouse.releases.rollout.plan import Check
from pilothouse.releases.rollout.reading import read_plan
from pilothouse.releases.rollout.run import Run
from pilothouse.releases.store import ReleaseStore
from pilothouse.signals.errors import BadRequestError, NotFoundError

PLAN = """
service: shop
baseline: "1"
candidate: "2"
traffic: {by: noted}
steps: [{weight: 10, for: 60s}, {pause: 30s}, {weight: 50, for: 60s}]
judge: {every: 30s}
"""


@dataclass
class World:
    """A rollout whose answers a test sets; `now` moves by `tick`."""

    store: ReleaseStore
    verdict: Verdict = "no_worse"
    value: float | None = 100.0
    requests: int = 0
    levels: list[float] = field(default_factory=list)
    shifts: list[int] = field(default_factory=list)
    failing: bool = False
    now: float = 1000.0
    run: Run = field(init=False)

    def begin(self, plan: str = PLAN) -> None:
        self.run = start(self.store, read_plan(plan), self.now, "ann")
        self.driver = Driver(self.store.rollouts, self, {"noted": lambda _: self})

    def tick(self, seconds: float = 0.0) -> Run:
        self.now += seconds
        self.driver.drive(self.now)
        found = self.store.rollouts.one(self.run.id)
        assert found is not None
        return found

    def act(self, action: str, full: bool = False) -> Run:
        return act(self.store, self.run.id, action, self.now, "ann", "because", full)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.store.rollouts.events(self.run.id)]

    def judge(self, run: Run, now: float, level: float) -> Answer:
        self.levels.append(level)
        return Answer(self.verdict, f"said {self.verdict}", {"comparison": 7})

    def served(self, run: Run, now: float) -> int:
        return self.requests

    def measure(self, run: Run, check: Check, now: float) -> float | None:
        return self.value

    def shift(self, service: str, weights: Mapping[str, int], key: str) -> None:
        if self.failing:
            raise ConnectionError("router is down")
        self.shifts.append(weights["2"])

    def weights(self, service: str) -> None:
        return None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(ReleaseStore(f"sqlite:///{tmp_path}/control.db"))
    made.begin()
    yield made
    made.store.close()


def test_step_by_step_to_the_end(world: World) -> None:
    first = world.tick()
    assert (first.state, first.step, first.phase, first.weight) == ("running", 0, "holding", 10)
    assert world.tick(29).verdict == "", "not asked yet"
    assert world.tick(2).verdict == "no_worse"
    assert world.tick(28).step == 0
    assert world.tick(5).step == 1
    assert world.shifts == [10], "a pause shifts nothing"
    world.tick(31)
    assert world.shifts == [10, 50]
    ended = world.tick(61)
    assert (ended.state, world.shifts, ended.weight) == ("succeeded", [10, 50, 100], 100)
    assert world.kinds[0] == "started"
    assert world.kinds[-1] == "succeeded"
    assert world.store.marks.all("shop")[0].by == f"rollout {ended.id}"


def test_worse_is_rolled_back_at_once_with_its_evidence(world: World) -> None:
    world.tick()
    world.verdict = "worse"
    ended = world.tick(31)
    assert (ended.state, ended.weight, world.shifts, ended.reason) == ("rolled_back", 0, [10, 0], "said worse")
    events = {event.kind: event for event in world.store.rollouts.events(ended.id)}
    said = {"comparison": 7, "verdict": "worse", "look": 1, "level": world.levels[0]}
    assert events["verdict"].evidence == said
    assert ended.comparison == 7
    assert events["rolled_back"].evidence["weights"] == {"1": 100, "2": 0}
    assert world.tick(1000).revision == ended.revision, "nothing moves any more"


def test_a_cannot_tell_waits_and_then_pauses(world: World) -> None:
    world.verdict = "cannot_tell"
    world.tick()
    assert world.tick(61).state == "running"
    assert world.tick(600).step == 0
    paused = world.tick(3600)
    assert (paused.state, paused.weight, paused.reason) == ("paused", 10, "said cannot_tell")
    world.verdict = "no_worse"
    world.act("resume")
    assert world.tick(31).step == 1


def test_checks_may_fail_so_often_in_a_row(world: World) -> None:
    world.act("abort")
    world.tick()
    world.shifts.clear()
    world.begin(PLAN + "checks: [{name: success, measure: success_rate, min: 99, failures: 1}]")
    world.tick()
    world.value = 98.0
    assert world.tick(31).misses["success"] == 1
    world.value = 99.5
    assert not world.tick(31).misses.get("success")
    world.value = None
    world.tick(31)
    ended = world.tick(31)
    assert (ended.state, world.shifts) == ("rolled_back", [10, 0])
    assert ended.reason == "success: no value, not at least 99"


def test_a_person_pauses_resumes_promotes_and_aborts(world: World) -> None:
    world.tick()
    world.act("pause")
    assert world.tick(10_000).step == 0
    promoted = world.act("promote")
    assert (promoted.step, promoted.state) == (1, "running")
    world.tick(1)
    world.act("promote", full=True)
    assert world.tick(1).state == "succeeded"
    assert world.shifts == [10, 100]
    with pytest.raises(BadRequestError, match="has ended"):
        world.act("abort")
    with pytest.raises(NotFoundError):
        act(world.store, 99, "abort", 0.0, "ann")
    assert [event.by for event in world.store.rollouts.events(world.run.id) if event.kind == "pause"] == ["ann"]


def test_an_abort_gives_the_traffic_back(world: World) -> None:
    world.tick()
    world.act("abort")
    with pytest.raises(BadRequestError, match="being rolled back"):
        world.act("promote")
    assert (world.tick().state, world.shifts) == ("rolled_back", [10, 0])


def test_a_router_that_fails_pauses_but_the_way_back_is_tried_on(world: World) -> None:
    world.failing = True
    for _ in range(10):
        found = world.tick(60)
    assert (found.state, world.kinds.count("traffic_failed")) == ("paused", 5)
    assert "router is down" in found.reason
    world.act("abort")
    for _ in range(10):
        found = world.tick(60)
    assert found.state == "rolling_back"
    world.failing = False
    assert world.tick(61).state == "rolled_back"


def test_one_rollout_a_service(world: World) -> None:
    with pytest.raises(BadRequestError, match="is being rolled out already: rollout 1"):
        start(world.store, world.run.plan, 0.0, "bob")


def test_a_shifter_that_is_not_here_says_so(world: World) -> None:
    driver = Driver(world.store.rollouts, world, {})
    driver.drive(world.now)
    driver.drive(world.now)
    assert "nothing here shifts traffic by 'noted'" in world.store.rollouts.events(1)[-1].words


def test_two_processes_do_not_drive_the_same_rollout(world: World) -> None:
    world.tick()
    other = Driver(world.store.rollouts, world, {"noted": lambda _: world})
    other.drive(world.now + 61)
    found = world.store.rollouts.one(1)
    assert found is not None
    assert found.step == 0, "the first still holds it"
    other.drive(world.now + 200)
    assert world.store.rollouts.one(1) != found, "the first is gone"


WAITING = PLAN.replace("{weight: 10, for: 60s}", "{weight: 10, for: 60s, requests: 50, at_most: 5m}")


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[World]:
    made = World(ReleaseStore(f"sqlite:///{tmp_path}/control.db"))
    made.begin(WAITING)
    yield made
    made.store.close()


def test_a_step_waits_for_requests_and_is_then_judged(waiting: World) -> None:
    waiting.requests = 20
    waiting.tick()
    assert waiting.tick(61).step == 0
    assert waiting.kinds.count("waiting") == 1
    assert waiting.tick(90).served == 20
    assert waiting.kinds.count("waiting") == 1, "it is said once"
    waiting.verdict = "cannot_tell"
    waiting.requests = 50
    looked = waiting.tick(29)
    assert (looked.step, looked.served, looked.looks[-1]) == (0, 50, 1.0)
    waiting.verdict = "no_worse"
    assert waiting.tick(31).step == 1
    assert waiting.tick(0).served == 0, "the next step has its own"


def test_requests_alone_do_not_end_a_step_and_a_worse_one_is_not_waited_for(waiting: World) -> None:
    waiting.requests = 1000
    waiting.tick()
    assert waiting.tick(31).step == 0
    waiting.verdict = "worse"
    assert waiting.tick(10).step == 0, "not asked yet"
    assert waiting.tick(20).state == "rolled_back"


def test_too_few_requests_pause_and_a_resumed_step_waits_again(waiting: World) -> None:
    waiting.requests = 20
    waiting.tick()
    paused = waiting.tick(301)
    assert (paused.state, paused.reason) == ("paused", "only 20 of 50 requests after 301s")
    waiting.act("resume")
    assert waiting.tick(200).state == "running"
    assert waiting.tick(101).state == "paused"
    waiting.act("resume")
    waiting.requests = 60
    assert waiting.tick(1).step == 1


def test_with_too_few_requests_it_may_go_on_and_ask(world: World) -> None:
    world.act("abort")
    world.tick()
    world.begin(WAITING.replace("at_most: 5m", "at_most: 5m, too_few: go_on"))
    world.requests, world.verdict = 20, "worse"
    world.tick()
    assert world.tick(301).state == "rolled_back"


def test_the_looks_of_a_rollout_share_its_risk(world: World) -> None:
    """Two judged steps (and a pause that is judged too) of two looks each: together at most 1 %."""
    world.tick()
    while world.tick(31).state == "running":
        pass
    assert len(world.levels) == 5
    assert world.levels[0] < world.levels[1] / 5, "most is kept for the last look of a step"
    assert 0.002 < world.levels[1] < 0.01 / 3
    assert sum(world.levels) < 0.0101


def test_looks_after_the_end_of_a_step_have_their_own_small_risk(world: World) -> None:
    world.verdict = "cannot_tell"
    world.tick()
    world.tick(61)
    planned = len(world.levels)
    for _ in range(50):
        world.tick(31)
    late = world.levels[planned:]
    assert len(late) >= 50
    assert sum(late) < 0.1 * 0.01 / 3
    assert min(late) > 0
