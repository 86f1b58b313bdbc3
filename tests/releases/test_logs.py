"""Patterns: what is masked, how lines are counted and judged."""

from __future__ import annotations

import numpy as np
import pytest

from pilothouse.engine import Engine
from pilothouse.releases import tested
from pilothouse.releases.both import Both
from pilothouse.releases.logs import Pattern, Patterns, explain, judge
from pilothouse.releases.logs.pattern import MASK, Level
from pilothouse.releases.logs.reading import read
from pilothouse.releases.rules import Rules
from pilothouse.releases.siding import stage
from pilothouse.releases.statistics import Floats
from pilothouse.releases.trial import Side, Trial
from pilothouse.releases.window import Windows
from tests.releases.conftest import CANARY

RANDOM = np.random.default_rng(8)


def trial(windows: int = 20, requests: float = 100.0) -> Trial:
    span = Windows(0, 60_000_000_000, windows)
    sides = [Side(name, span, {1: 0}, {1: "a"}, np.full(windows, requests)) for name in ("1", "2")]
    return Trial("checkout", "canary", Both(sides[0], sides[1]), Rules())


def judged(base: Floats, other: Floats, level: Level = "error") -> tested.Tested:
    pattern = Pattern("it broke", level, Both(base, other), "it broke")
    return judge(Patterns((pattern,), Both(np.zeros(20), np.zeros(20)), Both(1, 1)), trial())[0]


def stands(test: tested.Tested) -> bool:
    return test.p_value < 1e-4 and test.material and test.lasting


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("took 35 ms", "took <*> ms"),
        ("took 35ms at 12:04:59.123", "took <*> at <*>"),
        ("user 5f1c2b9e-7a44-4b1e-9c53-0d9f0e3a1b2c gone", "user <*> gone"),
        ('path "/api/items/7" is missing', "path <*> is missing"),
        ("key 'a b' and 'c'", "key <*> and <*>"),
        ("at 0x7ffeefbff5c8", "at <*>"),
        ("from 10.0.3.17:8080 to 192.168.0.1", "from <*> to <*>"),
        ("digest 3f786850e387550fdab836ed7e6dc881de23001b", "digest <*>"),
        ("2026-11-23T02:00:00 started", "<*> started"),
        ("connection refused", "connection refused"),
        ("order ord-0a1b2c3d4e of sku_17 x2", "order ord-<*> of sku_<*> <*>"),
        ("decade and facade feed a bed", "decade and facade feed a bed"),
    ],
)
def test_what_is_masked(shop: Engine, line: str, pattern: str) -> None:
    found = shop.query(
        "SELECT replaceRegexpAll({line:String}, {mask:String}, '<*>') AS p", {"line": line, "mask": MASK}
    )
    assert found.column("p").to_pylist() == [pattern]


def test_lines_are_read_as_patterns_with_counts_in_windows(shop: Engine) -> None:
    staged, _ = stage(shop, "checkout", Both("1.0.0", "2.0.0"), CANARY)
    found = {one.text: one for one in read(shop, staged).patterns}
    placed = found["order ord-<*> placed: <*> items for <*> cents"]
    assert placed.level == "info"
    assert placed.counts.baseline == pytest.approx(staged.requests.baseline, abs=3)
    new = found["coupon <*> could not be combined for order ord-<*>"]
    assert new.level == "error"
    assert new.counts.baseline.sum() == 0
    assert new.counts.candidate.sum() == pytest.approx(0.2 * staged.requests.candidate.sum(), rel=0.4)


def test_a_new_error_is_worse() -> None:
    test = judged(np.zeros(20), RANDOM.poisson(2, 20).astype(float))
    assert stands(test)
    assert test.direction == "worse"
    assert test.baseline == 0
    finding = explain([(test, 1e-9)], trial())[0]
    assert finding.title.startswith("new error: it broke (")
    assert "contains=it+broke" in finding.evidence


def test_a_new_line_of_information_only_moved() -> None:
    test = judged(np.zeros(20), RANDOM.poisson(2, 20).astype(float), "info")
    assert stands(test)
    assert test.direction == "moved"


def test_an_error_that_is_gone_is_better() -> None:
    test = judged(RANDOM.poisson(4, 20).astype(float), np.zeros(20))
    assert stands(test)
    assert test.direction == "better"
    assert explain([(test, 1e-9)], trial())[0].title.startswith("error gone: it broke")


def test_a_burst_does_not_stand() -> None:
    burst = np.zeros(20)
    burst[4:6] = 300
    assert not stands(judged(np.zeros(20), burst))


def test_an_error_three_times_as_frequent_is_worse_and_a_quarter_more_is_not() -> None:
    base = RANDOM.poisson(20, 20).astype(float)
    assert stands(judged(base, RANDOM.poisson(60, 20).astype(float)))
    assert not stands(judged(base, RANDOM.poisson(25, 20).astype(float)))


def test_lines_of_a_handful_say_nothing() -> None:
    few = np.zeros(20)
    few[3] = 4
    pattern = Pattern("rare", "error", Both(np.zeros(20), few), "rare")
    assert judge(Patterns((pattern,), Both(np.zeros(20), few), Both(1, 1)), trial()) == []


def test_the_sum_of_errors_is_told_only_when_no_pattern_tells_it() -> None:
    scattered = [np.zeros(20) for _ in range(60)]
    for place in range(240):
        scattered[place % 60][place % 20] += 1
    patterns = tuple(Pattern(f"e{n}", "error", Both(np.zeros(20), one), "e") for n, one in enumerate(scattered))
    errors = Both(np.full(20, 1.0), np.sum(scattered, axis=0))
    held = [(one, 1e-6) for one in judge(Patterns(patterns, errors, Both(1, 1)), trial()) if stands(one)]
    titles = [one.title for one in explain(held, trial())]
    assert titles == ["error lines are 12 times as frequent"]
