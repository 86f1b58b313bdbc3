"""Measures: what series become, which belong together, and which way is worse."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pilothouse.engine import Engine
from pilothouse.releases.both import Both
from pilothouse.releases.metrics import Measure, Measures, explain, judge
from pilothouse.releases.metrics.badness import about_memory, badness, failed, grows_with_load, whole_memory
from pilothouse.releases.metrics.matching import Series, matched
from pilothouse.releases.metrics.measuring import exposed
from pilothouse.releases.metrics.reading import read
from pilothouse.releases.rules import Rules
from pilothouse.releases.siding import stage
from pilothouse.releases.statistics import Floats
from pilothouse.releases.trial import Side, Trial
from pilothouse.releases.window import Windows
from pilothouse.signals.timerange import TimeRange
from tests.releases.conftest import CANARY
from tests.releases.world import SECOND, START, Rows, Version, add_resources, add_series, fill, milliseconds

RANDOM = np.random.default_rng(9)


def trial(windows: int = 20, instances: int = 1) -> Trial:
    span = Windows(0, 10 * SECOND, windows)
    names = {n: str(n) for n in range(instances)}
    sides = [Side(name, span, dict.fromkeys(names, 0), names, np.full(windows, 100.0)) for name in ("1", "2")]
    return Trial("checkout", "canary", Both(sides[0], sides[1]), Rules())


def stands(measure: Measure, of: Trial | None = None) -> list[str]:
    """What was found for one measure."""
    tests = judge(Measures((measure,)), of or trial())
    held = [(one, one.p_value) for one in tests if one.p_value < 1e-3 and one.material and one.lasting]
    return [f"{one.direction} {one.title}" for one in explain(held, of or trial())]


def level(name: str, base: Floats, other: Floats, unit: str = "1") -> Measure:
    return Measure(name, (), unit, "level", Both(np.atleast_2d(base), np.atleast_2d(other)), badness(name, {}, "level"))


class TestBadness:
    @pytest.mark.parametrize(
        ("name", "labels", "sort", "bad"),
        [
            ("http.server.request.duration", {}, "mean", "up"),
            ("process.memory.usage", {}, "level", "up"),
            ("process.cpu.time", {"cpu.mode": "user"}, "rate", "up"),
            ("queue.depth", {}, "level", "up"),
            ("db.errors", {}, "rate", "up"),
            ("cache.hit_ratio", {}, "level", "down"),
            ("process.memory.virtual", {}, "level", "neither"),
            ("system.memory.usage", {"system.memory.state": "free"}, "level", "neither"),
            ("jvm.memory.limit", {}, "level", "neither"),
            ("shop.orders", {}, "rate", "neither"),
            ("http.server.request.count", {"http.response.status_code": "500"}, "rate", "up"),
            ("http.server.request.duration", {"http.response.status_code": "503"}, "count", "up"),
            ("http.server.request.duration", {"http.response.status_code": "200"}, "count", "neither"),
        ],
    )
    def test_which_way_is_worse(self, name: str, labels: dict[str, str], sort: str, bad: str) -> None:
        assert badness(name, labels, sort) == bad

    def test_what_failed(self) -> None:
        assert failed({"error.type": "TimeoutError"})
        assert failed({"status": "5xx"})
        assert not failed({"error.type": "404"})
        assert not failed({"http.response.status_code": "404"})

    def test_memory_and_load(self) -> None:
        assert about_memory("process.memory.usage", "By")
        assert not about_memory("memory.reads", "{read}")
        assert whole_memory("process_resident_memory_bytes", "")
        assert not whole_memory("jvm.heap.pool", "By")
        assert grows_with_load("http.server.active_requests")
        assert not grows_with_load("process.memory.usage")


class TestMatching:
    def series(self, name: str, **labels: str) -> Series:
        return Series(name, hash((name, *labels.values())), 1, labels, "sum", "1", 2, True)

    def test_attributes_that_name_the_side_are_left_out(self) -> None:
        sides = Both(
            [self.series("calls", peer="a", port="1"), self.series("calls", peer="b", port="1")],
            [self.series("calls", peer="a", port="2"), self.series("calls", peer="b", port="2")],
        )
        assert [one.labels for one in matched(sides)] == [(("peer", "a"),), (("peer", "b"),)]

    def test_attributes_that_say_what_stay(self) -> None:
        sides = Both([self.series("calls", to="a")], [self.series("calls", to="a"), self.series("calls", to="b")])
        found = matched(sides)
        assert [one.labels for one in found] == [(("to", "a"),), (("to", "b"),)]
        assert found[1].series.baseline == ()


class TestJudging:
    def test_memory_that_is_higher(self) -> None:
        base = 100e6 + RANDOM.normal(0, 1e6, 20)
        found = stands(level("process.memory.usage", base, base + 60e6, "By"))
        assert found[0].startswith("worse process.memory.usage is higher: 160 MB instead of 100 MB")

    def test_a_leak(self) -> None:
        base = 100e6 + RANDOM.normal(0, 1e6, 20)
        found = stands(level("process.memory.usage", base, base + np.linspace(0, 60e6, 20), "By"))
        assert "at the end" in found[0]

    def test_memory_four_percent_higher_is_two_instances_being_two(self) -> None:
        base = 100e6 + RANDOM.normal(0, 1e5, 20)
        assert stands(level("process.memory.usage", base, base * 1.04, "By")) == []

    def test_many_instances_know_their_own_spread(self) -> None:
        base = 100e6 * np.exp(RANDOM.normal(0, 0.005, (12, 1)) + RANDOM.normal(0, 0.002, (12, 20)))
        other = 110e6 * np.exp(RANDOM.normal(0, 0.005, (12, 1)) + RANDOM.normal(0, 0.002, (12, 20)))
        assert stands(level("process.memory.usage", base, other, "By"), trial(instances=12))
        assert not stands(level("process.memory.usage", base[:1], other[:1], "By"))

    def test_what_says_nothing_good_or_bad_moves(self) -> None:
        base = 10 + RANDOM.normal(0, 0.3, 20)
        assert stands(level("pool.size", base, base * 3))[0].startswith("moved pool.size is higher")

    def test_less_hits_are_worse(self) -> None:
        base = 0.9 + RANDOM.normal(0, 0.01, 20)
        assert stands(level("cache.hit_ratio", base, base / 2))[0].startswith("worse cache.hit_ratio is lower")

    def test_what_never_moves_is_not_tested(self) -> None:
        assert judge(Measures((level("queue.limit.now", np.full(20, 5.0), np.full(20, 5.0)),)), trial()) == []

    def test_a_wandering_gauge_is_not_trusted(self) -> None:
        alarms = 0
        for _ in range(200):
            sides = [50 * np.exp(np.cumsum(RANDOM.normal(0, 0.02, 20))) for _ in range(2)]
            alarms += bool(stands(level("queue.size", sides[0], sides[1])))
        assert alarms <= 2

    def test_rare_errors_are_counted(self) -> None:
        ten = np.full(20, 10.0)
        sides = Both(RANDOM.poisson(0.2, (1, 20)).astype(float), RANDOM.poisson(4, (1, 20)).astype(float))
        measure = Measure("errors", (), "1", "rate", sides, "up", Both(ten, ten))
        assert stands(measure)[0].startswith("worse errors grows faster")

    def test_too_few_windows(self) -> None:
        short = level("queue.size", np.array([1.0, 2, 3]), np.array([10.0, 20, 30]))
        assert judge(Measures((short,)), trial(3)) == []


class TestExposure:
    def test_seconds_when_the_traffic_is_the_same(self) -> None:
        same = trial()
        exposures, noted = exposed(same, same.sides.map(lambda side: side.windows))
        assert exposures.baseline.tolist() == [10.0] * 20
        assert noted == ""

    def test_requests_when_it_is_not_also_in_wider_windows(self) -> None:
        span = Windows(0, 10 * SECOND, 20)
        sides = [Side(name, span, {1: 0}, {1: "a"}, np.full(20, rate)) for name, rate in (("1", 100.0), ("2", 10.0))]
        uneven = Trial("checkout", "canary", Both(sides[0], sides[1]), Rules())
        wide = span.at_least(40)
        exposures, noted = exposed(uneven, Both(wide, wide))
        assert exposures.baseline.tolist() == pytest.approx([400.0] * 5)
        assert exposures.candidate.tolist() == pytest.approx([40.0] * 5)
        assert "per request" in noted


@pytest.fixture(scope="module")
def counters(shop: Engine) -> dict[str, Measure]:
    """Counters of all kinds in a service of their own: both versions grow by 5 a second."""
    rows, every = Rows(), np.arange(0.0, 30.0)
    for version in ("1.0.0", "2.0.0"):
        one = Version(version, service="counting")
        fill(shop, one, seed=3)
        add_resources(rows, one)
        restarted = np.where(every < 15, 1000 + 5 * every, 5 * (every - 15) + 5)
        for name, values, temporality in (
            ("steady", 1000 + 5 * every, 2),
            ("restarted", restarted, 2),
            ("delta", np.full(30, 5.0), 1),
        ):
            series = add_series(rows, one, name, "sum", "1", True, temporality)
            rows.add(
                "samples", series=pa.array([series] * 30, pa.uint64()), time=milliseconds(every),
                start_time=milliseconds(np.zeros(30)), value=values,
            )  # fmt: skip
    rows.insert(shop)
    staged, _ = stage(shop, "counting", Both("1.0.0", "2.0.0"), CANARY)
    return {one.name: one for one in read(shop, staged).measures}


class TestReading:
    @pytest.mark.parametrize("name", ["steady", "restarted", "delta"])
    def test_increases(self, counters: dict[str, Measure], name: str) -> None:
        values = counters[name].values.candidate
        assert counters[name].sort == "rate"
        # A window of two seconds holds two increases of five; a reset loses nothing, and invents nothing.
        assert np.nanmedian(values) == pytest.approx(10, abs=5)
        assert values[:, 1:-1].max() <= 15

    def test_histograms_become_means(self, counters: dict[str, Measure]) -> None:
        mean = counters["http.server.request.duration"]
        assert mean.sort == "mean"
        assert mean.labels == (("http.request.method", "POST"),)
        assert np.nanmean(mean.values.baseline) == pytest.approx(0.0102, rel=0.1)

    def test_levels_keep_their_unit(self, counters: dict[str, Measure]) -> None:
        memory = counters["process.memory.usage"]
        assert memory.unit == "By"
        assert np.nanmean(memory.values.baseline) == pytest.approx(100e6, rel=0.02)
        assert memory.subject == "process.memory.usage"
        assert counters["http.server.request.duration"].subject == (
            'http.server.request.duration{http.request.method="POST"}'
        )


class TestAge:
    def test_memory_is_compared_at_equal_process_age(self, shop: Engine) -> None:
        """Both grow by 1 MB a second; the older one has more by the clock, and the same at the same age."""
        older = Version("1.0.0", service="ageing", begins=-100, ends=30, growth=1e6)
        fill(shop, older, Version("2.0.0", service="ageing", begins=0, ends=30, growth=1e6))
        staged, _ = stage(shop, "ageing", Both("1.0.0", "2.0.0"), TimeRange(START - 5 * SECOND, START + 30 * SECOND))
        memory = next(one for one in read(shop, staged).measures if one.name == "process.memory.usage")
        assert memory.at_age
        base, other = (float(np.nanmean(side)) for side in memory.values)
        assert base == pytest.approx(other, rel=0.03)
        assert base < 130e6

    def test_by_the_clock_when_the_young_baseline_had_other_traffic(self, shop: Engine) -> None:
        idle = Version("1.0.0", service="idle", begins=-100, ends=-50, rate=0.2, growth=1e6)
        busy = Version("1.0.0", service="idle", begins=-50, ends=30, growth=1e6, memory=150e6)
        fill(shop, idle, busy, Version("2.0.0", service="idle", begins=0, ends=30, growth=1e6))
        staged, _ = stage(shop, "idle", Both("1.0.0", "2.0.0"), CANARY)
        memory = next(one for one in read(shop, staged).measures if one.name == "process.memory.usage")
        assert not memory.at_age
