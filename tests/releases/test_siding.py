"""Trials: who takes part, in which windows, and how the time is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilothouse.engine import Engine
from pilothouse.releases.both import Both
from pilothouse.releases.siding import stage
from pilothouse.releases.window import Windows, cut
from pilothouse.signals.timerange import TimeRange
from tests.releases.conftest import CANARY
from tests.releases.world import SECOND, START, Rows, Version, add_profiles, add_resources, fill


def test_both_at_the_same_time_share_their_windows(shop: Engine) -> None:
    trial, missing = stage(shop, "checkout", Both("1.0.0", "2.0.0"), CANARY)
    assert missing == []
    assert trial.kind == "canary"
    assert trial.paired
    assert trial.sides.baseline.windows == trial.sides.candidate.windows


def test_the_warm_up_of_young_processes_is_left_out(shop: Engine) -> None:
    trial, _ = stage(shop, "checkout", Both("1.0.0", "2.0.0"), CANARY)
    assert trial.sides.candidate.windows.start == pytest.approx(START + 3 * SECOND, abs=SECOND // 2)
    assert trial.sides.candidate.windows.end <= START + 30 * SECOND


def test_windows_hold_enough_requests_and_are_a_second_at_least(shop: Engine) -> None:
    trial, _ = stage(shop, "checkout", Both("1.0.0", "2.0.0"), CANARY)
    windows = trial.sides.baseline.windows
    assert windows.seconds >= 1
    assert trial.requests.baseline.mean() >= 15
    few, _ = stage(shop, "checkout", Both("1.0.0", "3.0.0"), CANARY)
    assert few.sides.candidate.windows.count == 5


def test_traffic_is_per_instance_and_second(shop: Engine) -> None:
    trial, _ = stage(shop, "uneven", Both("1.0.0", "2.0.0"), TimeRange(START, START + 60 * SECOND))
    assert trial.sides.baseline.traffic == pytest.approx(40, rel=0.1)
    assert trial.load_ratio == pytest.approx(0.2, rel=0.2)
    assert not trial.same_load
    assert trial.per_request


def test_without_spans_the_others_say_when_it_was_active(shop: Engine) -> None:
    trial, missing = stage(shop, "untraced", Both("1.0.0", "2.0.0"), TimeRange(START, START + 60 * SECOND))
    assert missing == []
    assert not trial.per_request
    assert trial.load_ratio == 1.0
    assert trial.sides.baseline.seconds == pytest.approx(54, abs=3)


def test_a_profiler_that_names_no_instance_still_takes_part(shop: Engine) -> None:
    """Its labels make an identity of their own, which never sends spans, and is no second instance."""
    one, other = Version("1.0.0", service="labels"), Version("2.0.0", service="labels")
    fill(shop, one, other)
    rows = Rows()
    for version in (one, other):
        anonymous = replace(version, named=False)
        add_resources(rows, anonymous, "profiles")
        add_profiles(rows, anonymous)
    rows.insert(shop)
    trial, _ = stage(shop, "labels", Both("1.0.0", "2.0.0"), CANARY)
    assert len(trial.sides.baseline.identities) == 2
    assert trial.sides.baseline.size == 1


def test_a_baseline_that_ended_is_taken_at_the_same_time_of_the_same_weekday(shop: Engine) -> None:
    """It ran a day before as well: a day of the week is like itself a week before, a Saturday not like a Friday."""
    day = 86_400.0
    before = [
        Version("1.0.0", service="weekly", begins=-days * day, ends=30 - days * day, instance=f"{days}")
        for days in (7, 1)
    ]
    fill(shop, *before, Version("2.0.0", service="weekly"))
    trial, missing = stage(shop, "weekly", Both("1.0.0", "2.0.0"), CANARY)
    assert missing == []
    assert (trial.kind, trial.paired) == ("before_after", False)
    assert trial.sides.baseline.windows.end <= START + (30 - 7 * day) * SECOND
    assert trial.noted == ("1.0.0 is taken 7 days before, on the same weekday, at the same time of day",)


def test_cutting() -> None:
    windows = cut(TimeRange(0, 100 * SECOND), 10)
    assert (windows.count, windows.seconds, windows.end) == (10, 10.0, 100 * SECOND)
    assert windows.at_least(5) is windows
    assert windows.at_least(25) == Windows(0, 25 * SECOND, 4)
    assert windows.at_least(1000).count == 1
