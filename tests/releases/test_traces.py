"""Operations: what is read of them, and when one is called slower, failing, new or gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pilothouse.engine import Engine
from pilothouse.releases.both import Both
from pilothouse.releases.rules import Rules
from pilothouse.releases.siding import stage
from pilothouse.releases.statistics import Floats
from pilothouse.releases.traces import Operation, Operations, explain, judge, read
from pilothouse.releases.traces.operation import BUCKETS_PER_E
from pilothouse.releases.trial import Side, Trial
from pilothouse.releases.window import Windows
from tests.releases.conftest import CANARY

FIRST = 600
SERVER, CLIENT = 2, 3


def trial(windows: int = 20, requests: float = 60.0) -> Trial:
    span = Windows(0, 60_000_000_000, windows)
    sides = [Side(name, span, {1: 0}, {1: "a"}, np.full(windows, requests)) for name in ("1", "2")]
    return Trial("checkout", "canary", Both(sides[0], sides[1]), Rules())


def durations(random: np.random.Generator, milliseconds: float, requests: int = 60, windows: int = 20) -> Floats:
    """Counts [windows, buckets] of lognormal durations with this median."""
    logs = np.log(milliseconds * 1e6) + random.normal(0, 0.4, (windows, requests))
    places = (logs * BUCKETS_PER_E).astype(int) - FIRST
    return np.array([np.bincount(row, minlength=900) for row in places]).astype(float)


def operation(
    base: Floats, other: Floats, kind: int = SERVER, errors: tuple[float, float] = (0, 0), seed: int = 1
) -> Operation:
    random = np.random.default_rng(seed)
    failed = [
        random.binomial(side.sum(1).astype(int), share) for side, share in zip((base, other), errors, strict=True)
    ]
    nobody = np.array([])
    return Operation(
        "GET /cart",
        kind,
        FIRST,
        Both(base, other),
        Both(failed[0].astype(float), failed[1].astype(float)),
        Both(nobody, nobody),
    )


def found(*operations: Operation) -> list[str]:
    tests = judge(Operations(operations), trial())
    held = [(one, one.p_value) for one in tests if one.p_value < 1e-4 and one.material and one.lasting]
    return [f"{one.direction}: {one.title}" for one in explain(held, trial())]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


def test_a_slower_operation_is_one_finding_with_all_its_measures(random: np.random.Generator) -> None:
    slow = operation(durations(random, 10), durations(random, 25))
    tests = judge(Operations((slow,)), trial())
    assert {one.measure for one in tests} == {"duration p50", "duration p95"}
    held = [(one, one.p_value) for one in tests if one.p_value < 1e-4]
    (finding,) = explain(held, trial())
    assert finding.title.startswith("GET /cart is slower: 25")
    assert finding.measure == "duration p50"
    assert [one["measure"] for one in finding.detail["also"]] == ["duration p95"]


def test_a_slow_tail_is_found_when_the_median_did_not_move(random: np.random.Generator) -> None:
    tail = durations(random, 10, 51) + durations(random, 80, 9)
    (said,) = found(operation(durations(random, 10), tail))
    assert said.startswith("worse: GET /cart is slower")
    assert "(p95)" in said


def test_a_faster_one_is_better(random: np.random.Generator) -> None:
    assert found(operation(durations(random, 30), durations(random, 10)))[0].startswith("better: GET /cart is faster")


def test_a_tenth_of_a_millisecond_does_not_matter(random: np.random.Generator) -> None:
    assert found(operation(durations(random, 0.07), durations(random, 0.16))) == []


def test_one_bad_window_is_not_a_slower_operation(random: np.random.Generator) -> None:
    other = durations(random, 10)
    other[3:5] = durations(random, 900)[3:5]
    assert found(operation(durations(random, 10), other)) == []


def test_what_both_sides_swing_by_does_not_hide_that_one_is_slower(random: np.random.Generator) -> None:
    """Every other window is four times as slow on both sides: a fifth more lasts on sides that ran together only."""
    swinging = [durations(random, each, 200) for each in (10, 40, 12, 48)]
    for place in (0, 2):
        swinging[place][1::2] = swinging[place + 1][1::2]
    slower = Operations((operation(swinging[0], swinging[2]),))
    (median,) = (one for one in judge(slower, trial()) if one.measure == "duration p50")
    assert median.lasting
    (apart,) = (one for one in judge(slower, replace(trial(), paired=False)) if one.measure == "duration p50")
    assert not apart.lasting


def test_an_inner_operation_only_moves(random: np.random.Generator) -> None:
    said = found(operation(durations(random, 10), durations(random, 40), CLIENT))
    assert [one.split(":")[0] for one in said] == ["moved"]


def test_more_errors(random: np.random.Generator) -> None:
    same = durations(random, 10)
    (said,) = found(operation(same, same, errors=(0.01, 0.08)))
    assert said.startswith("worse: GET /cart fails more often: ")
    assert found(operation(same, same, errors=(0.05, 0.052))) == []


def test_an_outage_of_two_windows_is_not_an_error_rate(random: np.random.Generator) -> None:
    one = operation(durations(random, 10), durations(random, 10))
    one.errors.candidate[7:9] = 60
    assert found(one) == []


def test_new_and_gone(random: np.random.Generator) -> None:
    nothing, some = np.zeros((20, 900)), durations(random, 10)
    assert found(operation(nothing, some)) == ["moved: GET /cart is new: it runs 1 times per request"]
    assert found(operation(some, nothing)) == ["moved: GET /cart is gone: it ran 1 times per request"]


def test_a_call_made_for_each_row(random: np.random.Generator) -> None:
    (said,) = found(operation(durations(random, 5, 60), durations(random, 5, 300), CLIENT))
    assert said == "moved: GET /cart runs 5 times per request instead of 1 times"


def test_too_few_requests_are_not_tested(random: np.random.Generator) -> None:
    few = durations(random, 10, 2)
    assert judge(Operations((operation(few, few),)), trial()) == []


def test_operations_are_read_from_spans(shop: Engine) -> None:
    staged, _ = stage(shop, "checkout", Both("1.0.0", "2.0.0"), CANARY)
    operations = {(one.name, one.kind): one for one in read(shop, staged).operations}
    assert set(operations) == {("POST /checkout", SERVER), ("GET /prices", CLIENT)}
    checkout = operations["POST /checkout", SERVER]
    assert checkout.entry
    assert checkout.counts.baseline == pytest.approx(staged.requests.baseline)
    share = checkout.errors.baseline.sum() / checkout.counts.baseline.sum()
    assert share == pytest.approx(0.01, abs=0.012)
