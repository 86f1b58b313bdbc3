"""Promotions through environments that are folders of this machine: Auto, Manual, Never, rollout, rollback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pilothouse.delivery.environments import EnvironmentsError
from pilothouse.delivery.promoting.asking import promote, released
from pilothouse.delivery.promoting.driving import Driver
from pilothouse.delivery.promoting.promotion import Happened
from tests.delivery.promoting.world import MANIFEST, World, in_folders


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = in_folders(tmp_path)
    yield made
    made.close()


def text(world: World, environment: str) -> str:
    return (world.place / "deploy" / environment / "shop.yaml").read_text()


def approve(world: World, environment: str) -> None:
    world.store.change(
        replace(world.last(environment), approved_by="ann"), Happened(0.0, "approved", "approved", "ann")
    )


def test_a_release_goes_through_all_environments(world: World) -> None:
    promoted = released(world.crew, "shop", "1.1.0", changes="- feat: more", by="release")
    assert promoted is not None
    assert promoted.environment == "staging", "an environment that never takes promotions is passed over"
    world.tick()
    assert world.one(promoted.id).state == "deployed"
    assert text(world, "staging") == MANIFEST.format(name="staging").replace("1.0.0", "1.1.0"), "comments are kept"
    assert text(world, "lab") == MANIFEST.format(name="lab")
    mark = world.releases.marks.all("shop")[0]
    assert (mark.version, mark.environment, mark.by) == ("1.1.0", "staging", f"promotion {promoted.id}")
    world.tick()
    waiting = world.last("production")
    assert (waiting.state, waiting.version, waiting.before) == ("open", "1.1.0", "1.0.0")
    world.tick()
    assert world.last("production").reason == "waits for an approval"
    assert "1.0.0" in text(world, "production")
    approve(world, "production")
    world.tick()
    rolling = world.last("production")
    assert (rolling.state, rolling.approved_by) == ("rolling_out", "ann")
    assert "1.1.0" in text(world, "production")
    world.tick()
    assert world.shifts == [10]
    for _ in range(4):
        world.tick(61)
    assert world.shifts == [10, 100]
    assert world.last("production").state == "deployed"
    kinds = [one.kind for one in world.store.happened(rolling.id)]
    assert kinds[:2] == ["asked", "opened"]
    assert kinds[-1] == "deployed"


def test_a_bad_verdict_takes_the_version_back_with_its_report(world: World) -> None:
    asked = promote(world.crew, "shop", "2.0.0", "production", by="bob")
    world.tick()
    approve(world, "production")
    world.tick()
    world.verdict = "worse"
    for _ in range(4):
        world.tick(31)
    assert world.shifts == [10, 0]
    ended = world.one(asked.id)
    assert ended.state == "rolled_back"
    assert "the candidate is worse" in ended.reason
    back = world.last("production")
    assert (back.reverts, back.version, back.before, back.state) == (asked.id, "1.0.0", "2.0.0", "deployed")
    assert "POST /pay fails: 8 % instead of 0.1 %" in back.report
    assert text(world, "production") == MANIFEST.format(name="production"), "it is as it was, to the last character"
    world.tick(1000)
    assert len(world.store.all()) == 2, "nothing follows from a rollback"


def test_a_newer_version_takes_the_place_of_one_that_waits(world: World) -> None:
    first = promote(world.crew, "shop", "1.1.0", "production")
    world.tick()
    second = promote(world.crew, "shop", "1.2.0", "production")
    assert promote(world.crew, "shop", "1.2.0", "production").id == second.id, "asked for twice, it is one"
    world.tick()
    assert world.one(second.id).state == "open"
    assert world.one(first.id).state == "superseded"


@pytest.mark.parametrize(
    ("service", "version", "to", "said"),
    [
        ("shop", "1.1.0", "lab", "its strategy is Never"),
        ("shop", "1.0.0", "staging", "declares shop 1.0.0 already"),
        ("cart", "1.0.0", "staging", "has no service 'cart'"),
        ("shop", "1.1.0", "prod", "there are lab, staging, production"),
        ("shop", "1.1.0\n", "staging", "is no version"),
        ("shop", "$(rm)", "staging", "is no version"),
    ],
)
def test_what_is_refused_says_why(world: World, service: str, version: str, to: str, said: str) -> None:
    with pytest.raises(EnvironmentsError, match=said):
        promote(world.crew, service, version, to)
    assert not world.store.all()


def test_a_plan_that_cannot_be_is_refused_before_anything_is_done(world: World) -> None:
    production = world.environments.named("production")
    broken = replace(production, rollout={"traffic": {"by": "magic"}, "steps": [{"weight": 10}]})
    world.environments = replace(world.environments, all=(broken,))
    with pytest.raises(EnvironmentsError, match=r"production\.rollout: .*'magic' is not noted"):
        promote(world.crew, "shop", "1.1.0", "production")


def test_a_file_that_went_away_is_said_and_tried_again(world: World) -> None:
    asked = promote(world.crew, "shop", "1.1.0", "staging")
    path = world.place / "deploy" / "staging" / "shop.yaml"
    kept = path.read_text()
    path.write_text("kind: [\n")
    world.tick()
    stuck = world.one(asked.id)
    assert stuck.state == "opening"
    assert "cannot go on" in stuck.reason
    path.write_text(kept)
    world.tick()
    assert world.one(asked.id).state == "deployed"


def test_a_restart_between_merge_and_rollout_starts_one_rollout(world: World) -> None:
    asked = promote(world.crew, "shop", "1.1.0", "production")
    world.tick()
    approve(world, "production")
    world.tick()
    rolling = world.one(asked.id)
    # As if the process had ended before it wrote down which rollout it started.
    lost = replace(rolling, state="merged", rollout=0)
    world.store.change(lost)
    world.tick()
    assert [run.id for run in world.releases.rollouts.all("shop")] == [rolling.rollout]
    assert (world.one(asked.id).state, world.one(asked.id).rollout) == ("rolling_out", rolling.rollout)


def test_of_two_processes_one_moves_promotions(world: World) -> None:
    other = Driver(world.crew, owner="another process")
    promoted = promote(world.crew, "shop", "1.1.0", "staging")
    world.tick()
    assert world.one(promoted.id).state == "deployed"
    second = promote(world.crew, "shop", "1.2.0", "staging")
    other.drive()
    assert world.one(second.id).state == "opening", "the first one does it"
    world.driver.stop()
    other.drive()
    assert world.one(second.id).state == "deployed", "it gave it back"
