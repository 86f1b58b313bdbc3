"""The judge's arithmetic, against worked examples and against what it promises on noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import ndtri

from pilothouse.releases.statistics import (
    Elasticity,
    Estimate,
    Floats,
    bridge,
    compare_rates,
    contrast,
    contrast_lately,
    direction_of_pairs,
    elasticity,
    following,
    mann_whitney,
    outside_bursts,
    persists,
    q_values,
    quantile_contrasts,
    spread_variance,
    window_quantiles,
)
from pilothouse.releases.statistics.contrasting import correlation_inflation
from pilothouse.releases.statistics.looking import level_of_look

# Hollander and Wolfe (1973), 69f: the example of R's help page on wilcox.test, whose output is
# W = 35, 95 percent confidence interval -0.15 0.76, difference in location 0.305.
PLACENTA = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
LATER = np.array([1.15, 0.88, 0.90, 0.74, 1.21])


def autoregression(random: np.random.Generator, count: int, memory: float) -> Floats:
    values = np.empty(count)
    value = random.normal()
    for place in range(count):
        value = memory * value + random.normal() * np.sqrt(1 - memory**2)
        values[place] = value
    return values


class TestMannWhitney:
    def test_the_worked_example_of_wilcox_test(self) -> None:
        shift = mann_whitney(LATER, PLACENTA, confidence=0.95)
        assert shift is not None
        assert shift.estimate == pytest.approx(0.305)
        assert (shift.low, shift.high) == pytest.approx((-0.15, 0.76))
        assert shift.superiority == pytest.approx(35 / 50)
        assert shift.direction == 0

    def test_effect_sizes(self) -> None:
        shift = mann_whitney(np.array([10.0, 10, 20, 20]), np.array([20.0, 20, 30, 30]))
        assert shift is not None
        assert shift.ratio == pytest.approx(25 / 15)
        assert shift.superiority == pytest.approx((16 - 4 + 2) / 16)

    def test_high_and_low_are_beyond_a_quarter_of_the_shift(self) -> None:
        random = np.random.default_rng(3)
        control = random.normal(100, 5, 60)
        assert mann_whitney(control, control + 20).direction == 1  # type: ignore[union-attr]
        assert mann_whitney(control, control - 20).direction == -1  # type: ignore[union-attr]
        assert mann_whitney(control, random.normal(100, 5, 60)).direction == 0  # type: ignore[union-attr]

    def test_too_few_values_decide_nothing(self) -> None:
        shift = mann_whitney(np.array([1.0, 2, 3]), np.array([11.0, 12, 13]))
        assert shift is not None
        assert shift.direction == 0
        assert mann_whitney(np.array([]), np.array([1.0])) is None
        assert mann_whitney(np.array([np.nan]), np.array([1.0])) is None


class TestPairs:
    # Hollander and Wolfe (1973), 29f: the example of R's help page on wilcox.test for pairs, whose output is V = 40,
    # p-value = 0.01953 for "greater".
    FIRST = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    SECOND = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])

    def test_the_worked_example_is_sure_as_far_as_its_p_value(self) -> None:
        rises = [direction_of_pairs(self.FIRST - self.SECOND, sure) for sure in (0.5, 0.8, 0.98)]
        assert rises == [1, 1, 0]
        assert direction_of_pairs(self.SECOND - self.FIRST, 0.8) == -1

    def test_what_hits_both_cancels_out(self) -> None:
        base = np.random.default_rng(5).normal(5, 3, 20)
        assert direction_of_pairs(base + 0.5 - base) == 1
        assert mann_whitney(base, base + 0.5).direction == 0  # type: ignore[union-attr]

    def test_false_alarms(self) -> None:
        random = np.random.default_rng(4)
        wrong = sum(direction_of_pairs(random.standard_t(3, 20)) != 0 for _ in range(400))
        assert wrong <= 16

    def test_nothing_says_nothing(self) -> None:
        assert direction_of_pairs(np.array([np.nan])) == 0


class TestEstimate:
    def test_p_value_and_interval_are_students(self) -> None:
        from scipy import stats

        estimate = Estimate(1.0, 0.4, 7)
        assert estimate.p_value == pytest.approx(2 * stats.t.sf(2.5, 7))
        assert estimate.interval() == pytest.approx((1 - stats.t.ppf(0.975, 7) * 0.4, 1 + stats.t.ppf(0.975, 7) * 0.4))

    def test_no_spread_is_no_proof(self) -> None:
        assert Estimate(1.0, 0.0, 7).p_value == 1.0
        assert Estimate(1.0, float("inf"), 7).p_value == 1.0

    def test_widening_is_welch_and_satterthwaite(self) -> None:
        wider = Estimate(0.0, 3.0, 10).widened(16.0, 20)
        assert wider.error == pytest.approx(5.0)
        assert wider.freedom == pytest.approx(25**2 / (81 / 10 + 256 / 20))
        assert Estimate(0.0, 3.0, 10).widened(0.0, 1).freedom == 10

    def test_the_smallest_effect_is_found_four_times_out_of_five(self) -> None:
        from scipy import stats

        random = np.random.default_rng(5)
        effect = Estimate(0.0, 1 / np.sqrt(40), 39).smallest(0.001)
        found = sum(stats.ttest_1samp(random.normal(effect, 1, 40), 0).pvalue < 0.001 for _ in range(800))
        assert found / 800 == pytest.approx(0.8, abs=0.05)


class TestContrast:
    def test_paired_windows_cancel_what_hits_both(self) -> None:
        random = np.random.default_rng(1)
        common = random.normal(0, 5, 30)
        base, other = common + random.normal(0, 0.1, 30), common + 1 + random.normal(0, 0.1, 30)
        paired, apart = contrast(base, other, paired=True), contrast(base, other, paired=False)
        assert paired is not None
        assert apart is not None
        assert paired.difference == pytest.approx(1.0, abs=0.1)
        assert paired.p_value < 1e-6 < 0.1 < apart.p_value

    def test_a_burst_does_not_move_it(self) -> None:
        random = np.random.default_rng(2)
        base, other = random.normal(10, 1, 30), random.normal(10, 1, 30)
        other[5:8] = 1000
        found = contrast(base, other, paired=False)
        assert found is not None
        assert abs(found.difference) < 1.5

    def test_too_few_windows(self) -> None:
        assert contrast(np.array([1.0, 2, np.nan]), np.array([1.0, 2, 3]), paired=True) is None
        assert contrast(np.array([1.0, np.nan, np.nan]), np.array([1.0, 2, 3]), paired=False) is None

    @pytest.mark.parametrize("memory", [0.0, 0.5])
    def test_false_alarms_on_windows_that_depend_on_each_other(self, memory: float) -> None:
        random = np.random.default_rng(4)
        alarms = 0
        for _ in range(1500):
            found = contrast(autoregression(random, 30, memory), autoregression(random, 30, memory), paired=True)
            assert found is not None
            alarms += found.p_value < 0.01
        assert alarms / 1500 <= 0.01

    def test_a_wandering_series_is_worth_few_windows(self) -> None:
        random = np.random.default_rng(6)
        steady = np.median([correlation_inflation(random.normal(size=60)) for _ in range(50)])
        wandering = np.median([correlation_inflation(np.cumsum(random.normal(size=60))) for _ in range(50)])
        assert steady < 2 < 20 < wandering

    def test_what_climbs_is_seen_where_it_came_to(self) -> None:
        random = np.random.default_rng(7)
        flat = 100 + random.normal(0, 0.5, 20)
        climbing = flat + np.linspace(0, 50, 20)
        level, late = contrast(flat, climbing, paired=True), contrast_lately(flat, climbing)
        assert level is not None
        assert late is not None
        assert late.p_value < 1e-4 < level.p_value
        assert late.difference == pytest.approx(42, abs=3)

    def test_a_baseline_that_climbs_itself_excuses_it(self) -> None:
        climbing = np.linspace(100, 150, 20)
        late = contrast_lately(climbing, climbing + 10)
        assert late is not None
        assert late.p_value > 0.1


class TestQuantiles:
    edges = np.arange(101) / 10

    def counts(self, random: np.random.Generator, shift: float) -> Floats:
        values = random.normal(5 + shift, 1, (30, 100))
        return np.array([np.histogram(window, self.edges)[0] for window in values]).astype(float)

    def test_the_shift_of_a_quantile_and_its_interval(self) -> None:
        random = np.random.default_rng(1)
        median, tail = quantile_contrasts(
            self.counts(random, 0), self.counts(random, 1), self.edges, np.array([0.5, 0.95]), paired=False
        )
        for found in (median, tail):
            low, high = found.interval()
            assert low < 1.0 < high
            assert high - low < 0.8
        assert median.error < tail.error

    def test_false_alarms(self) -> None:
        random = np.random.default_rng(2)
        alarms = 0
        for _ in range(100):
            found = quantile_contrasts(
                self.counts(random, 0), self.counts(random, 0), self.edges, np.array([0.5]), paired=True
            )[0]
            alarms += found.p_value < 0.01
        assert alarms <= 4

    def test_windows_with_few_requests_say_nothing(self) -> None:
        counts = np.zeros((2, 100))
        counts[0, 40:60] = 1
        counts[1, 50] = 2
        found = window_quantiles(counts, self.edges, 0.5, least=5)
        assert found[0] == pytest.approx(5.0)
        assert np.isnan(found[1])


class TestRates:
    ones = np.ones(20)

    def test_new_events_are_found_and_none_is_no_case(self) -> None:
        random = np.random.default_rng(1)
        rates = compare_rates(
            np.zeros((1, 20)), random.poisson(3, (1, 20)).astype(float), (self.ones, self.ones), paired=True
        )
        assert rates.p_value[0] < 1e-6
        assert rates.ratio[0] == np.inf
        assert rates.low[0] > 5
        assert rates.high[0] == np.inf

    def test_a_burst_in_one_window_is_not_a_rate(self) -> None:
        burst = np.zeros((1, 20))
        burst[0, 7] = 60
        rates = compare_rates(np.zeros((1, 20)), burst, (self.ones, self.ones), paired=True)
        assert rates.p_value[0] > 0.05

    def test_exposure_is_what_counts(self) -> None:
        base, other = np.full((1, 20), 9.0), np.full((1, 20), 1.0)
        rates = compare_rates(base, other, (self.ones * 90, self.ones * 10), paired=True)
        assert rates.ratio[0] == pytest.approx(1.0)
        assert rates.p_value[0] > 0.5

    def test_the_interval_holds_the_ratio(self) -> None:
        random = np.random.default_rng(3)
        held = 0
        for _ in range(200):
            rates = compare_rates(
                random.poisson(5, (1, 20)).astype(float), random.poisson(10, (1, 20)).astype(float),
                (self.ones, self.ones), paired=False,
            )  # fmt: skip
            held += rates.low[0] <= 2.0 <= rates.high[0]
        assert held >= 184

    @pytest.mark.parametrize("paired", [True, False])
    def test_false_alarms_on_overdispersed_counts(self, paired: bool) -> None:
        random = np.random.default_rng(4)
        shape = 1.0
        alarms = 0
        for _ in range(100):
            sides = [random.poisson(3 * random.gamma(shape, 1 / shape, (20, 30))).astype(float) for _ in range(2)]
            rates = compare_rates(sides[0], sides[1], (np.ones(30), np.ones(30)), paired)
            alarms += int((rates.p_value < 0.001).sum())
        assert alarms <= 6

    def test_an_assumed_spread_makes_small_changes_of_many_events_unremarkable(self) -> None:
        base, other = np.full((1, 20), 1000.0), np.full((1, 20), 1080.0)
        sure = compare_rates(base, other, (self.ones, self.ones), paired=True)
        wary = compare_rates(base, other, (self.ones, self.ones), paired=True, spread=0.01)
        assert sure.p_value[0] < 1e-6 < 0.2 < wary.p_value[0]


class TestOutsideBursts:
    requests = np.full(60, 500.0)

    def test_what_two_outages_hide_is_seen_outside_them(self) -> None:
        random = np.random.default_rng(6)
        sides = [random.poisson(500 * share, 60).astype(float) for share in (0.05, 0.065)]
        sides[0][11] = sides[1][40] = 250
        whole = compare_rates(sides[0][None], sides[1][None], (self.requests, self.requests), paired=True)
        (left, exposed), (right, other) = outside_bursts((sides[0], self.requests), (sides[1], self.requests))
        rest = compare_rates(left[None], right[None], (exposed, other), paired=True)
        assert len(left) == len(right) == 54
        assert max(left.max(), right.max()) < 100
        assert rest.p_value[0] < 1e-4 < 0.01 < whole.p_value[0]

    def test_false_alarms_with_outages_on_either_side(self) -> None:
        random = np.random.default_rng(7)
        alarms = 0
        for _ in range(1000):
            failed = random.poisson(500 * 0.02 * np.where(random.random((2, 60)) < 0.02, 10.0, 1.0)).astype(float)
            (left, exposed), (right, other) = outside_bursts((failed[0], self.requests), (failed[1], self.requests))
            alarms += compare_rates(left[None], right[None], (exposed, other), paired=True).p_value[0] < 0.01
        assert alarms <= 20


class TestDiscoveries:
    def test_the_example_of_benjamini_and_hochberg(self) -> None:
        from scipy import stats

        # Benjamini and Hochberg 1995, section 3.2: at 0.05 the first four of these fifteen are discoveries.
        p_values = np.array([
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0000,
        ])  # fmt: skip
        q = q_values(p_values)
        assert (q <= 0.05).tolist() == [True] * 4 + [False] * 11
        assert q == pytest.approx(stats.false_discovery_control(p_values))

    def test_order_does_not_matter(self) -> None:
        p_values = np.array([0.3, 0.001, 0.04, 0.001])
        assert q_values(p_values)[[1, 3, 2, 0]] == pytest.approx(q_values(np.sort(p_values)))

    def test_weights_are_relative(self) -> None:
        p_values = np.array([0.01, 0.5, 0.5, 0.5])
        plain, weighted = q_values(p_values), q_values(p_values, np.array([3.0, 1, 1, 1]))
        assert weighted[0] == pytest.approx(plain[0] / 2)
        assert q_values(np.array([])).size == 0


class TestSpread:
    def test_one_instance_a_side_is_believed_to_be_as_assumed(self) -> None:
        variance, freedom = spread_variance(np.array([np.nan]), np.array([np.nan]), 0.05)
        assert variance == pytest.approx(2 * 0.05**2)
        assert freedom == 30

    def test_many_instances_correct_the_assumption(self) -> None:
        random = np.random.default_rng(2)
        alike = spread_variance(random.normal(0, 0.01, 20), random.normal(0, 0.01, 20), 0.05)[0]
        apart = spread_variance(random.normal(0, 0.3, 20), random.normal(0, 0.3, 20), 0.05)[0]
        assert alike < 0.05**2 / 10
        assert apart == pytest.approx(2 * 0.3**2 / 20, rel=0.5)


class TestPersisting:
    def test_a_lasting_change(self) -> None:
        assert persists(np.zeros(10), np.ones(10), 1.0)
        assert persists(np.zeros(10), -np.ones(10), -1.0)

    def test_one_that_went_away(self) -> None:
        assert not persists(np.zeros(10), np.array([1.0] * 6 + [0.0] * 4), 0.6)

    def test_one_that_comes_and_goes(self) -> None:
        assert not persists(np.zeros(10), np.tile([2.0, 0.0], 5), 1.0)

    def test_too_few_windows(self) -> None:
        assert not persists(np.zeros(10), np.array([1.0, 1.0, np.nan]), 1.0)


class TestFollowing:
    """How a cost goes with the traffic."""

    def seen(self, elasticity: float, varying: float, replicates: int = 30) -> tuple[float, float]:
        random = np.random.default_rng(3)
        traffic = 100 * np.exp(random.normal(0, varying, replicates))
        costs = random.poisson(1000 * (traffic / 100) ** elasticity).astype(float)[None]
        found = following(costs, traffic * 10, np.full(replicates, 10.0))
        return float(found.least[0]), float(found.most[0])

    @pytest.mark.parametrize("elasticity", [-0.5, 0.0, 0.2, 0.7, 1.0, 1.5])
    def test_the_limits_hold_what_there_is(self, elasticity: float) -> None:
        least, most = self.seen(elasticity, 0.2)
        assert least <= elasticity <= most
        assert most - least < 0.8 or elasticity < 1

    def test_a_cost_in_proportion_is_known_for_it(self) -> None:
        least, most = self.seen(1.0, 0.3)
        assert least > 0.85
        assert most < 1.15

    def test_a_cost_that_does_not_go_with_the_traffic_is_known_for_it(self) -> None:
        least, most = self.seen(0.0, 0.3)
        assert -0.2 < least < 0
        assert most == 1

    def test_steady_traffic_and_few_replicates_say_nothing(self) -> None:
        assert self.seen(1.0, 0.0) == (-1, 2)
        assert self.seen(1.0, 0.3, replicates=5) == (-1, 2)

    def test_of_a_cost_that_was_never_seen_nothing_is_known(self) -> None:
        found = following(np.zeros((1, 10)), np.arange(10.0) + 1, np.ones(10))
        assert (found.least[0], found.most[0]) == (-1, 2)


def _fixed(traffic: Floats) -> Floats:
    return np.ones_like(traffic)


def _third_fixed(traffic: Floats) -> Floats:
    return 1 / 3 + 2 / 3 * traffic


def _waiting(traffic: Floats) -> Floats:
    return traffic / 2 + traffic**2 / 2


class TestBridging:
    """What unequal traffic makes of a cost per request, and a change beyond it."""

    def p_values(
        self, cost: Callable[[Floats], Floats], load: float, dearer: float, replicates: int = 30, programs: int = 1000
    ) -> Floats:
        """Many programs under one traffic; the candidate's cost is so many times the baseline's at the same traffic."""
        random = np.random.default_rng(6)
        shape = np.exp(random.normal(0, 0.25, replicates))
        ends, sums = [], []
        for level, times in ((1.0, 1.0), (load, dearer)):
            traffic = level * shape * np.exp(random.normal(0, 0.05, replicates))
            noise = random.gamma(25, 1 / 25, (programs, replicates))
            costs = random.poisson(400 * times * cost(traffic) * noise).astype(float)
            ends.append(elasticity(costs, traffic * 10, np.full(replicates, 10.0)))
            sums.append((costs.sum(1), traffic.sum()))
        (one, before), (other, now) = sums
        error = np.full(programs, np.sqrt(2 * (1 / 25 + 1 / 400) / replicates))
        change = np.log(other / now) - np.log(one / before)
        return bridge(ends[0], ends[1], load).p_values(change, error, np.full(programs, 58.0))

    @pytest.mark.parametrize("cost", [_fixed, _third_fixed, _waiting, np.sqrt, np.copy])
    @pytest.mark.parametrize("load", [0.05, 0.2, 0.7, 2.0, 5.0])
    def test_one_and_the_same_program_is_seldom_beyond(self, cost: Callable[[Floats], Floats], load: float) -> None:
        assert (self.p_values(cost, load, 1.0) < 0.01).mean() < 0.02

    @pytest.mark.parametrize(("load", "dearer", "found"), [(0.7, 1.7, 0.9), (2.0, 2.0, 0.9), (0.2, 4.0, 0.9)])
    def test_a_dearer_one_is(self, load: float, dearer: float, found: float) -> None:
        assert (self.p_values(np.copy, load, dearer) < 0.01).mean() > found
        assert (self.p_values(np.copy, load, 1 / dearer) < 0.01).mean() > found, "a cheaper one as well"

    def test_traffic_that_works_against_a_change_is_not_counted_for_it(self) -> None:
        """Under five times the traffic a fixed cost is a fifth per request: no change is no rise."""
        seen = bridge(*(Elasticity(np.zeros(2), np.full(2, 0.1), 28.0),) * 2, load_ratio=5.0)
        assert seen.p_values(np.array([0.0, 0.2]), np.full(2, 0.05), np.full(2, 58.0)) == pytest.approx(1, abs=0.7)
        assert seen.at_most(0.01)[0] < 2

    def test_few_replicates_say_nothing(self) -> None:
        assert np.isnan(self.p_values(np.copy, 0.2, 4.0, replicates=5)).all()


@pytest.mark.parametrize("looks", [[1.0], [0.5, 1.0], [n / 10 for n in range(1, 11)], [0.3, 0.305, 0.31, 0.9, 1.0]])
def test_looks_at_growing_data_are_wrong_as_often_as_one(looks: list[float]) -> None:
    """Simulated: a Brownian motion crosses any of the levels in 1 % of its ways."""
    random = np.random.default_rng(4)
    ways, gone, before = 200_000, np.zeros(200_000, bool), 0.0
    place = np.zeros(ways)
    for number, part in enumerate(looks):
        place += random.normal(0, np.sqrt(part - before), ways)
        before = part
        limit = -ndtri(level_of_look(0.01, tuple(looks[: number + 1])) / 2)
        gone |= np.abs(place) > limit * np.sqrt(part)
    assert 0.0085 < gone.mean() < 0.0107
