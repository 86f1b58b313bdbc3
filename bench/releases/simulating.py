"""Two sides of a release as the judge sees them, with noise as production has it; for A/A and A/B runs.

Made directly as what the readers of the signals would hand to the judge (counts per window, values per instance and
window), so that hundreds of comparisons take seconds. The noise is meant to be unpleasant: load that wanders and
bursts, latency with a heavy tail and shocks that last several windows (some hit both sides, some one), instances that
differ, restarts, log lines in bursts, profiles that vary from one to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pilothouse.releases.both import Both
from pilothouse.releases.comparing import Evidence
from pilothouse.releases.logs import Pattern, Patterns
from pilothouse.releases.metrics import Measure, Measures
from pilothouse.releases.profiles import Costs, Function
from pilothouse.releases.rules import Rules
from pilothouse.releases.traces import Operation, Operations
from pilothouse.releases.traces.operation import BUCKETS_PER_E
from pilothouse.releases.trial import Kind, Side, Trial
from pilothouse.releases.window import cut
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

Floats = NDArray[np.float64]
# The part of a baseline's CPU that does not follow its requests.
_FIXED = 0.1
Random = np.random.Generator


@dataclass(frozen=True)
class Size:
    """How much data: seconds, requests a second of both sides together, instances and profiles a side."""

    name: str
    seconds: float
    rate: float
    instances: tuple[int, int]
    profiles: int
    profile_seconds: float
    point_seconds: float


DEMO = Size("demo: 27 s, 25 requests/s, 1 instance a side", 27, 25, (1, 1), 4, 6, 1)
QUARTER = Size("15 min, 40 requests/s, 3 instances a side", 900, 40, (3, 3), 60, 15, 15)
HOUR = Size("1 h, 150 requests/s, 8 and 4 instances", 3600, 150, (8, 4), 200, 15, 30)
SIZES = (DEMO, QUARTER, HOUR)


@dataclass(frozen=True)
class Planted:
    """What the candidate does worse (nothing by default): relative for latency, memory and CPU; shares for errors.

    `refactored` is the part of one function's cost that moves to another of the same caller, which is no regression.
    """

    latency: float = 0.0
    slow_part: float = 1.0
    errors: float = 0.0
    memory: float = 0.0
    leak_mb_per_minute: float = 0.0
    function_cpu: float = 0.0
    pattern: float = 0.0
    refactored: float = 0.0


@dataclass
class World:
    """One comparison's random numbers and its windows; `differing` multiplies what instances differ by.

    With `after` the candidate runs after the baseline instead of beside it. `climb` is by how much latency, gauges and
    counters grow by themselves over the time of one side, release or not (the logarithm).
    """

    random: Random
    size: Size
    share: float = 0.5
    differing: float = 1.0
    planted: Planted = field(default_factory=Planted)
    after: bool = False
    climb: float = 0.0

    def trial(self) -> Trial:
        """Windows as `siding` would cut them, with wandering and bursting traffic."""
        rules = Rules()
        fewer = self.size.seconds * self.size.rate * min(self.share, 1 - self.share)
        wanted = min(max(int(fewer) // rules.requests_per_window, rules.least_windows), rules.most_windows)
        windows = cut(TimeRange(0, int(self.size.seconds * NANOSECONDS)), max(min(wanted, int(self.size.seconds)), 1))
        level = self._load(windows.count)
        sides = []
        for place, share in enumerate((1 - self.share, self.share)):
            if place and self.after:
                windows, level = replace(windows, start=windows.end), self._load(windows.count)
            mean = self.size.rate * windows.seconds * share * level
            requests = self.random.poisson(mean * self.random.gamma(40, 1 / 40, windows.count)).astype(float)
            born = dict.fromkeys(range(self.size.instances[place]), -(10**15))
            sides.append(Side(f"{place + 1}.0.0", windows, born, {n: str(n) for n in born}, requests))
        kind: Kind = "before_after" if self.after else "canary"
        return Trial("simulated", kind, Both(sides[0], sides[1]), rules, paired=not self.after)

    def grown(self, windows: int, number: int) -> Floats:
        """The logarithm of what the climb has come to in each window of a side."""
        return self.climb * (np.arange(windows) / windows + (number if self.after else 0))

    def _load(self, windows: int) -> Floats:
        bursts: Floats = np.where(self.random.random(windows) < 0.05, 2.0, 1.0)
        return np.exp(self.wander(windows, 0.2)) * bursts

    def wander(self, count: int, deviation: float, memory: float = 0.7) -> Floats:
        """A first-order autoregression with this standard deviation."""
        shocks = self.random.normal(0, deviation * np.sqrt(1 - memory**2), count)
        values = np.empty(count)
        value = self.random.normal(0, deviation)
        for place, shock in enumerate(shocks):
            value = memory * value + shock
            values[place] = value
        return values


def evidence(world: World, trial: Trial) -> Evidence:
    """All four signals."""
    shocks = _shocks(world, trial)
    common = Both(shocks, _shocks(world, trial) if world.after else shocks)
    return Evidence(
        metrics=_metrics(world, trial),
        traces=_traces(world, trial, common),
        logs=_logs(world, trial),
        profiles=[_profiles(world, trial)],
    )


def _shocks(world: World, trial: Trial) -> Floats:
    """What hits all operations at a time."""
    common = world.wander(trial.sides.baseline.windows.count, 0.15)
    return common + np.where(world.random.random(len(common)) < 0.04, np.log(3), 0.0)


def _traces(world: World, trial: Trial, common: Both[Floats]) -> Operations:
    weights = world.random.dirichlet(np.full(8, 0.7))
    weights[0] = max(weights[0], 0.3)
    weights /= weights.sum()
    operations = []
    for place, weight in enumerate(weights):
        median = np.exp(world.random.uniform(np.log(2e6), np.log(2e8)))
        tail = world.random.uniform(0.3, 0.9)
        failing = world.random.choice([0.0, 0.001, 0.01, 0.05])
        first = int(np.log(median) * BUCKETS_PER_E) - 400
        sides = [
            _side(world, trial, number, weight, median, tail, failing, first, common, place == 0) for number in (0, 1)
        ]
        durations, errors, levels = (Both(sides[0][part], sides[1][part]) for part in range(3))
        operations.append(Operation(f"GET /{place}", 2, first, durations, errors, levels))
    return Operations(tuple(operations))


def _side(
    world: World, trial: Trial, number: int, weight: float, median: float, tail: float, failing: float, first: int,
    shocks: Both[Floats], hit: bool,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    side, common = tuple(trial.sides)[number], tuple(shocks)[number]
    common = common + world.grown(len(common), number)
    random, planted = world.random, world.planted
    offsets = random.normal(0, 0.04 * world.differing, side.size)
    own = world.wander(side.windows.count, 0.07) + np.where(random.random(len(common)) < 0.02, np.log(2.5), 0.0)
    counts = np.zeros((side.windows.count, 1100))
    errors = np.zeros(side.windows.count)
    levels: list[list[float]] = [[] for _ in offsets]
    outage = np.where(random.random(side.windows.count) < 0.02, 10.0, 1.0)
    for window, requests in enumerate(side.requests):
        n = random.binomial(int(requests), weight)
        instance = random.integers(0, side.size, n)
        logs = np.log(median) + common[window] + own[window] + offsets[instance] + random.standard_t(5, n) * tail
        if number and hit:
            logs += np.log1p(planted.latency) * (random.random(n) < planted.slow_part)
        places = np.clip((logs * BUCKETS_PER_E).astype(int) - first, 0, 1099)
        counts[window] = np.bincount(places, minlength=1100)
        share = min(failing * outage[window] + (planted.errors if number and hit else 0.0), 1.0)
        errors[window] = random.binomial(n, share)
        for one in range(side.size):
            levels[one] += logs[instance == one].tolist()
    means = np.array([np.mean(one) for one in levels if len(one) >= 20])
    return counts, errors, means if side.size > 1 else np.array([])


def _metrics(world: World, trial: Trial) -> Measures:
    windows = trial.sides.baseline.windows.at_least(2 * world.size.point_seconds)
    measures = [_memory(world, trial, windows.count, windows.seconds)]
    exposures = trial.sides.map(lambda side: np.full(windows.count, windows.seconds))
    for place in range(60):
        kind = ("gauge", "walk", "rate", "rare", "queue")[place % 5]
        values = Both(
            *(
                _series(world, side.size, windows.count, kind) * np.exp(world.grown(windows.count, number))
                for number, side in enumerate(trial.sides)
            )
        )
        sort = "rate" if kind in ("rate", "rare") else "level"
        name = f"{('queue.size', 'heap.used', 'cpu.time', 'errors', 'queue.pending')[place % 5]}.{place}"
        measures.append(Measure(name, (), "1", sort, values, "up", exposures if sort == "rate" else None))
    return Measures(tuple(measures))


def _memory(world: World, trial: Trial, windows: int, seconds: float) -> Measure:
    planted = (world.planted.memory, world.planted.leak_mb_per_minute)

    def values(side: Side, grown: float, leak: float) -> Floats:
        minutes = np.arange(windows) * seconds / 60
        rows = []
        for _ in range(side.size):
            wandering = np.cumsum(world.random.normal(0, 0.003, windows)) + world.random.normal(
                0, 0.015 * world.differing
            )
            level = 200e6 * (1 + grown) * np.exp(wandering) + leak * 1e6 * minutes
            if world.random.random() < 0.05:
                # A restart: the heap begins low again.
                since = np.arange(windows) - world.random.integers(0, windows)
                level = np.where(since >= 0, level * (1 - 0.4 * np.exp(-np.maximum(since, 0) / 2)), level)
            rows.append(level)
        return np.array(rows)

    both = Both(values(trial.sides.baseline, 0.0, 0.0), values(trial.sides.candidate, *planted))
    return Measure("process.memory.usage", (), "By", "level", both, "up")


def _series(world: World, instances: int, windows: int, kind: str) -> Floats:
    rows = []
    for _ in range(instances):
        offset = np.exp(world.random.normal(0, 0.03 * world.differing))
        match kind:
            case "gauge":
                row = 50 * offset * np.exp(world.wander(windows, 0.1, 0.9))
            case "walk":
                row = 1e7 * offset * np.exp(np.cumsum(world.random.normal(0, 0.005, windows)))
            case "rate":
                row = 1000 * offset * np.exp(world.wander(windows, 0.15, 0.6)) * world.random.gamma(30, 1 / 30, windows)
            case "rare":
                row = world.random.poisson(0.3, windows) * world.random.choice([1, 1, 1, 8], windows)
            case _:
                row = np.maximum(world.random.normal(-0.5, 1, windows), 0) * world.random.choice([1, 1, 6], windows)
        rows.append(np.asarray(row, float))
    return np.array(rows)


def _logs(world: World, trial: Trial) -> Patterns:
    patterns = []
    for place in range(80):
        rate = 0.5 / (place + 1) ** 1.3
        bursty = world.random.random() < 0.3
        counts = trial.sides.map(lambda side, rate=rate, bursty=bursty: _lines(world, side.requests * rate, bursty))
        level = ("info", "info", "warn", "error")[place % 4]
        patterns.append(Pattern(f"pattern {place}", level, counts, "a line"))
    if world.planted.pattern:
        side = trial.sides.candidate
        both = Both(np.zeros(side.windows.count), _lines(world, side.requests * world.planted.pattern, False))
        patterns.append(Pattern("planted", "error", both, "a planted line"))
    errors = Both(
        sum(
            (one.counts.baseline for one in patterns if one.level == "error"),
            np.zeros(trial.sides.baseline.windows.count),
        ),
        sum(
            (one.counts.candidate for one in patterns if one.level == "error"),
            np.zeros(trial.sides.candidate.windows.count),
        ),
    )
    return Patterns(tuple(patterns), errors, Both(1, 1))


def _lines(world: World, expected: Floats, bursty: bool) -> Floats:
    shape = 0.7 if bursty else 8.0
    return world.random.poisson(expected * world.random.gamma(shape, 1 / shape, len(expected))).astype(float)


def _profiles(world: World, trial: Trial) -> Costs:
    """A tree of functions: a root, 6 handlers, 6 functions each, 4 leaves each."""
    names = [Function("main", "app.py")]
    stacks: list[list[int]] = []
    for handler in range(6):
        names.append(Function(f"handler_{handler}", "app.py"))
        above = [len(names) - 1, 0]
        for function in range(6):
            names.append(Function(f"function_{handler}_{function}", "app.py"))
            middle = [len(names) - 1, *above]
            for leaf in range(4):
                names.append(Function(f"leaf_{handler}_{function}_{leaf}", "lib.py"))
                stacks.append([len(names) - 1, *middle])
    share = world.random.dirichlet(np.full(len(stacks), 0.3))
    share = np.maximum(share, 1e-5)
    # What is planted is planted where there is something to plant: at a function with a tenth of the CPU.
    share[0] = 0.1
    share /= share.sum()
    spans = [_profiled(world, side) for side in trial.sides]
    sides = [
        _samples(world, side, share, place, *spans[place], share_fixed=_FIXED * trial.sides.baseline.traffic)
        for place, side in enumerate(trial.sides)
    ]
    return Costs(
        type="cpu", unit="ns", per_sample=1e7, bad="up", level=False, functions=tuple(names),
        frames=np.array([frame for stack in stacks for frame in stack]),
        starts=np.arange(0, 4 * len(stacks) + 1, 4),
        samples=Both(sides[0], sides[1]),
        exposures=Both(*(seconds * traffic for seconds, traffic in spans)),
        seconds=Both(*(seconds for seconds, _ in spans)),
    )  # fmt: skip


def _profiled(world: World, side: Side) -> tuple[Floats, Floats]:
    """The seconds of each replicate, and the requests per second and instance in its part of the time."""
    replicates = min(world.size.profiles, 30)
    seconds = np.full(replicates, world.size.profile_seconds * max(world.size.profiles / 30, 1.0))
    served = np.concatenate([[0.0], np.cumsum(side.requests)])
    edges = np.linspace(0, side.windows.count, replicates + 1)
    counted = np.diff(np.interp(edges, np.arange(len(served)), served))
    return seconds, np.maximum(counted / (side.seconds / replicates) / side.size, 0.05 * side.traffic)


def _samples(
    world: World, side: Side, share: Floats, number: int, seconds: Floats, traffic: Floats, share_fixed: float
) -> Floats:
    replicates = len(seconds)
    cost = share * side.traffic * 0.015 * 100 * seconds[0] * np.exp(world.random.normal(0, 0.03 * world.differing))
    if number:
        cost = cost.copy()
        cost[0] += world.planted.function_cpu * cost.sum()
        if world.planted.refactored:
            moved = world.planted.refactored * cost[0]
            cost[0] -= moved
            cost[1] += moved
    wandering = world.random.gamma(60, 1 / 60, (1, replicates)) * world.random.gamma(
        25, 1 / 25, (len(share), replicates)
    )
    following = cost[:, None] * (traffic / traffic.mean())
    # What sends telemetry costs the same however few requests there are.
    following[-1] = share_fixed * 0.015 * 100 * seconds
    return world.random.poisson(following * wandering).astype(float)
