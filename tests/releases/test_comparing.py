"""Whole comparisons on a real store."""

from __future__ import annotations

import json

import pytest

from pilothouse.engine import Engine
from pilothouse.releases.both import Both
from pilothouse.releases.comparing import compare
from pilothouse.releases.comparison import Comparison
from pilothouse.releases.finding import Finding
from pilothouse.releases.siding import stage
from pilothouse.releases.trial import Trial
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import TimeRange
from tests.releases.conftest import CANARY
from tests.releases.world import SECOND, START


@pytest.fixture(scope="module")
def worse(shop: Engine) -> Comparison:
    """The regressed release against the one before."""
    return compare(shop, "checkout", "1.0.0", "2.0.0", CANARY)


def named(comparison: Comparison, signal: str, text: str) -> Finding:
    """The finding of a signal whose title has this text."""
    found = [one for one in comparison.findings if one.signal == signal and text in one.title]
    assert found, [one.title for one in comparison.findings]
    return found[0]


class TestARegression:
    def test_the_verdict(self, worse: Comparison) -> None:
        assert worse.verdict == "worse"
        assert worse.kind == "canary"
        assert worse.confidence > 0.99
        assert worse.missing == ()
        assert worse.summary.startswith("checkout 2.0.0 is worse than 1.0.0: ")
        assert {name: one.state for name, one in worse.signals.items()} == dict.fromkeys(worse.signals, "worse")

    def test_the_slow_operation(self, worse: Comparison) -> None:
        finding = named(worse, "traces", "POST /checkout is slower")
        assert finding.direction == "worse"
        assert finding.unit == "ms"
        assert finding.baseline == pytest.approx(9, rel=0.15)
        assert finding.interval is not None
        low, high = finding.interval
        assert low is not None
        assert high is not None
        assert finding.change is not None
        assert low < finding.change < high
        assert len(finding.examples) == 3
        assert all(len(trace) == 32 for trace in finding.examples)
        assert finding.evidence.startswith("/api/traces/durations?service=checkout&operation=POST+%2Fcheckout&")

    def test_the_new_error(self, worse: Comparison) -> None:
        finding = named(worse, "logs", "new error: coupon <*> could not be combined for order ord-<*>")
        assert finding.direction == "worse"
        assert finding.change is None
        assert finding.baseline == 0
        assert finding.examples[0].startswith("coupon ")
        assert finding.detail["level"] == "error"

    def test_the_memory(self, worse: Comparison) -> None:
        finding = named(worse, "metrics", "process.memory.usage is higher")
        assert finding.direction == "worse"
        assert finding.change == pytest.approx(0.6, abs=0.05)
        assert finding.unit == "By"

    def test_the_function(self, worse: Comparison) -> None:
        finding = named(worse, "profiles", "combine (shop.py) is new")
        assert finding.direction == "worse"
        assert finding.examples == ("main;serve;checkout;try_all;combine",)
        assert finding.candidate == pytest.approx(12e6, rel=0.3)
        assert finding.detail["ancestor"] in ("main", "serve", "checkout", "try_all")

    def test_ranks_are_in_order_and_worse_comes_first(self, worse: Comparison) -> None:
        assert [one.rank for one in worse.findings] == list(range(1, len(worse.findings) + 1))
        directions = [one.direction for one in worse.findings]
        assert directions == sorted(directions, key=["worse", "better", "moved"].index)

    def test_what_did_not_change_is_not_told(self, worse: Comparison) -> None:
        assert not [one for one in worse.findings if "placed" in one.title or "GET /prices" in one.title]
        assert not [one for one in worse.findings if "process.threads" in one.title]

    def test_json_says_all_of_it(self, worse: Comparison) -> None:
        said = json.loads(json.dumps(worse.to_json(), allow_nan=False))
        assert said["baseline"]["version"] == "1.0.0"
        assert said["candidate"]["requests"] > 500
        assert set(said["signals"]) == {"metrics", "traces", "logs", "profiles"}
        assert said["findings"][0]["evidence"]["api"].startswith("/api/")
        assert said["page"].startswith("/releases/checkout/2.0.0?baseline=1.0.0&start=")


class TestTheSameCode:
    def test_is_no_worse(self, shop: Engine) -> None:
        found = compare(shop, "checkout", "1.0.0", "2.0.1", CANARY)
        assert found.verdict == "no_worse", [one.title for one in found.findings]
        assert 0.8 < found.confidence < 1
        assert all(one.state == "no_worse" for one in found.signals.values())
        assert found.signals["traces"].smallest_effect is not None
        assert "would have been seen" in found.signals["logs"].note
        assert "no worse than" in found.summary

    def test_an_instance_that_stops_is_not_counted(self, shop: Engine) -> None:
        assert compare(shop, "checkout", "1.0.0", "2.0.1", CANARY).sides.baseline.size == 1

    def test_one_instance_is_said_to_be_an_assumption(self, shop: Engine) -> None:
        notes = compare(shop, "checkout", "1.0.0", "2.0.1", CANARY).notes
        assert any("one instance" in note for note in notes)

    def test_a_better_one(self, shop: Engine) -> None:
        found = compare(shop, "checkout", "2.0.0", "2.0.1", CANARY)
        assert found.verdict == "no_worse"
        assert named(found, "traces", "POST /checkout is faster").direction == "better"
        assert named(found, "logs", "error gone: coupon").direction == "better"
        assert named(found, "profiles", "combine").direction == "better"


class TestOneAfterTheOther:
    def test_each_in_its_own_windows(self, shop: Engine) -> None:
        found = compare(shop, "checkout", "0.9.0", "2.0.0", TimeRange(START - 60 * SECOND, START + 30 * SECOND))
        assert found.kind == "before_after"
        assert found.verdict == "worse"
        assert found.sides.baseline.windows.end <= found.sides.candidate.windows.start
        assert any("same time" in note for note in found.notes)

    def test_a_baseline_that_ended_before_the_range_is_looked_up(self, shop: Engine) -> None:
        found = compare(shop, "checkout", "0.9.0", "2.0.1", TimeRange(START + 10 * SECOND, START + 30 * SECOND))
        assert found.kind == "before_after"
        assert found.sides.baseline.requests.sum() > 100
        assert found.verdict == "cannot_tell"
        assert not found.findings
        assert "times as many requests to POST /checkout" in found.missing[0]


class TestDrift:
    """A release after the other: what the one before had been doing by itself is no fault of the release."""

    LAST = TimeRange(START - 60 * SECOND, START)

    def test_what_climbs_as_before_is_no_worse(self, shop: Engine) -> None:
        found = compare(shop, "climbs", "1.0.0", "2.0.0", self.LAST)
        assert found.kind == "before_after"
        assert not [one for one in found.findings if one.direction == "worse"]
        [note] = [one for one in found.notes if "1.0.0 had moved by itself before is taken off" in one]
        assert "POST /checkout duration p50 +" in note or "POST /checkout duration p50 x" in note

    def test_without_an_earlier_time_it_cannot_be_known(self, shop: Engine) -> None:
        found = compare(shop, "new-and-slower", "1.0.0", "2.0.0", self.LAST)
        assert named(found, "traces", "POST /checkout is slower").direction == "worse"
        assert not any("by itself" in note for note in found.notes)

    def test_what_is_beyond_the_climb_is_worse_by_what_is_beyond_it(self, shop: Engine) -> None:
        found = compare(shop, "climbs-and-worse", "1.0.0", "2.0.0", self.LAST)
        slower = named(found, "traces", "POST /checkout is slower")
        assert slower.direction == "worse"
        # 30 times as slow, of which 10 / 3 were to come.
        assert slower.change == pytest.approx(0.9 / 0.03 / (0.03 / 0.009) - 1, rel=0.2)


class TestTooLittle:
    def test_too_few_requests(self, shop: Engine) -> None:
        found = compare(shop, "checkout", "1.0.0", "3.0.0", CANARY)
        assert found.verdict == "cannot_tell"
        assert found.confidence == 0
        assert any(text.endswith("requests on 3.0.0; at least 50 are needed") for text in found.missing)
        assert found.missing[0] in found.summary

    def test_silence(self, shop: Engine) -> None:
        found = compare(shop, "checkout", "1.0.0", "0.9.0", CANARY)
        assert found.verdict == "cannot_tell"
        assert "0.9.0 sent nothing" in found.missing[0]
        assert {one.state for one in found.signals.values()} == {"no_data"}
        json.dumps(found.to_json(), allow_nan=False)

    def test_unknown_names_are_answered_with_known_ones(self, shop: Engine) -> None:
        with pytest.raises(NotFoundError, match=r"no service is called 'chekout'; known are .*checkout"):
            compare(shop, "chekout", "1", "2", CANARY)
        with pytest.raises(NotFoundError, match=r"checkout has no version '9'; known are .*2\.0\.0"):
            compare(shop, "checkout", "1.0.0", "9", CANARY)
        with pytest.raises(NotFoundError, match=r"batch has no version '1'; it sends no service\.version"):
            compare(shop, "batch", "1", "2", CANARY)

    def test_a_version_against_itself(self, shop: Engine) -> None:
        with pytest.raises(BadRequestError, match="cannot be compared with itself"):
            compare(shop, "checkout", "1.0.0", "1.0.0", CANARY)

    def test_hostile_names_are_only_names(self, shop: Engine) -> None:
        for name in ("'; DROP TABLE spans --", "{identities:Array(UInt64)}", 'a" OR 1', "\\", "\0"):
            with pytest.raises(NotFoundError):
                compare(shop, name, "1", "2", CANARY)
            with pytest.raises(NotFoundError):
                compare(shop, "checkout", name, "2.0.0", CANARY)


class TestAPart:
    def test_a_selector_narrows_both_sides(self, shop: Engine) -> None:
        found = compare(shop, "checkout", "1.0.0", "2.0.1", CANARY, parse_selector('region="eu"'))
        assert found.verdict == "no_worse"
        with pytest.raises(NotFoundError, match="nothing that matches the selector"):
            compare(shop, "checkout", "1.0.0", "2.0.1", CANARY, parse_selector('region="us"'))


MINUTE = TimeRange(START, START + 60 * SECOND)


class TestUnevenTraffic:
    def test_costs_and_counters_of_the_same_code_are_the_same_per_request(self, shop: Engine) -> None:
        same = compare(shop, "uneven", "1.0.0", "2.0.0", MINUTE)
        assert same.verdict == "no_worse", [one.title for one in same.findings]
        assert any("per request" in note for note in same.notes)
        assert not [one for one in same.findings if one.direction != "moved"]

    def test_and_a_regression_shows_but_not_by_a_cost_that_could_be_there_without_requests(self, shop: Engine) -> None:
        slow = compare(shop, "uneven", "1.0.0", "2.1.0", MINUTE)
        assert slow.verdict == "worse"
        assert named(slow, "traces", "POST /checkout is slower")
        # 1.8 times the CPU per request, at a fifth of the traffic: the same program could cost up to five times.
        assert not [one for one in slow.findings if "process.cpu.time" in one.title]
        assert any("beyond that ratio" in note for note in slow.notes)

    @pytest.mark.parametrize(
        ("load", "follows", "ratio", "beyond"),
        [
            (0.05, (0.0, 1.0), 6.5, False),
            (0.05, (0.0, 1.0), 25.0, True),
            (0.05, (0.0, 1.0), 0.8, True),
            (0.05, (0.9, 1.0), 6.5, True),
            (0.05, (-1.0, 1.0), 25.0, False),
            (0.05, (-1.0, 1.0), 50.0, True),
            (4.0, (0.0, 1.0), 0.3, False),
            (4.0, (0.0, 1.0), 2.0, True),
            (4.0, (0.0, 2.0), 2.0, False),
            (4.0, (0.0, 2.0), 5.0, True),
            (1.0, (-1.0, 2.0), 1.2, True),
        ],
    )  # fmt: skip
    def test_what_unequal_traffic_alone_can_make_of_a_cost(
        self, shop: Engine, monkeypatch: pytest.MonkeyPatch, load: float, follows: tuple[float, float],
        ratio: float, beyond: bool,
    ) -> None:  # fmt: skip
        trial, _ = stage(shop, "uneven", Both("1.0.0", "2.0.0"), MINUTE)
        monkeypatch.setattr(Trial, "load_ratio", property(lambda self: load))
        assert trial.beyond_load(ratio, *follows) is beyond


def test_a_service_without_traces_is_judged_by_the_others(shop: Engine) -> None:
    found = compare(shop, "untraced", "1.0.0", "2.0.0", MINUTE)
    assert found.verdict == "worse"
    assert found.signals["traces"].state == "no_data"
    assert named(found, "metrics", "process.memory.usage")
    assert named(found, "logs", "new error")
