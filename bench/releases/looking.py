"""A/A and A/B runs of whole rollouts, whose judge is asked many times on growing data.

    .venv/bin/python -m bench.releases.looking [--rollouts 200] [--looks 6] [--size demo|quarter] [--planted TEXT]

A rollout has three judged steps (5, 25 and 50 % of the traffic), each looked at so often. Each look is judged twice:
at the level that a rollout gives it, and at the level of a single comparison, as if nobody had looked before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from bench.releases.measuring import GRID
from bench.releases.simulating import DEMO, QUARTER, Planted, Size, World, evidence
from pilothouse.releases.both import Both
from pilothouse.releases.comparing import Evidence, conclude, tests_of
from pilothouse.releases.profiles import Costs
from pilothouse.releases.rollout.looking import looked
from pilothouse.releases.rollout.plan import Judging, Plan, Step, Traffic
from pilothouse.releases.rollout.run import Run
from pilothouse.releases.rules import Rules
from pilothouse.releases.trial import Trial

SHARES = (5, 25, 50)
_HOLD = 60.0


@dataclass(frozen=True)
class Seen:
    """Whether any look of a rollout said "worse", at its own level and at that of a single comparison."""

    levelled: bool
    single: bool


def rollouts(size: Size, count: int, looks: int, planted: Planted, seed: int) -> Iterator[Seen]:
    """So many rollouts of a version against itself, or with something planted."""
    plan = Plan(
        "simulated", tuple(Step(weight, _HOLD) for weight in SHARES), Traffic("none"), "1.0.0", "2.0.0",
        judging=Judging(every=_HOLD / looks, cannot_tell="go_on"),
    )  # fmt: skip
    for number in range(count):
        random = np.random.default_rng([seed, number])
        levelled = single = False
        for place, share in enumerate(SHARES):
            world = World(random, size, share=share / 100, planted=planted)
            trial = world.trial()
            found = evidence(world, trial)
            run = Run(1, plan, "running", place, "holding", 1, 0.0, 0.0, 0.0, 1, share)
            for look in range(1, looks + 1):
                run, level = looked(run, look * _HOLD / looks, over=look == looks)
                said = _worse(*until(found, trial, look / looks), level)
                levelled, single = levelled or said[0], single or said[1]
        yield Seen(levelled, single)


def _worse(found: Evidence, trial: Trial, level: float) -> tuple[bool, bool]:
    tests = tests_of(found, trial)
    levels = (level, Rules().false_discovery_rate)
    said = [
        conclude(found, tests, replace(trial, rules=replace(trial.rules, false_discovery_rate=one))).verdict == "worse"
        for one in levels
    ]
    return said[0], said[1]


def until(found: Evidence, trial: Trial, part: float) -> tuple[Evidence, Trial]:
    """What was there of both sides when this part of the time had passed."""
    count = trial.sides.baseline.windows.count
    kept = max(round(part * count), 1)
    sides = trial.sides.map(
        lambda side: replace(side, windows=replace(side.windows, count=kept), requests=side.requests[:kept])
    )
    cut = replace(trial, sides=sides)
    operations = tuple(
        replace(one, durations=_first(one.durations, kept), errors=_first(one.errors, kept))
        for one in found.traces.operations
    )
    metrics = tuple(_measured(one, part) for one in found.metrics.measures)
    lines = tuple(replace(one, counts=_first(one.counts, kept)) for one in found.logs.patterns)
    logs = replace(found.logs, patterns=lines, errors=_first(found.logs.errors, kept))
    return Evidence(
        replace(found.metrics, measures=metrics), replace(found.traces, operations=operations), logs,
        [_profiled(one, part, cut.per_request) for one in found.profiles],
    ), cut  # fmt: skip


def _first(both: Both[Any], kept: int) -> Both[Any]:
    return both.map(lambda values: values[:kept])


def _measured(one: Any, part: float) -> Any:
    kept = max(round(part * one.values.baseline.shape[-1]), 1)
    exposures = _first(one.exposures, kept) if one.exposures is not None else None
    return replace(one, values=one.values.map(lambda values: values[..., :kept]), exposures=exposures)


def _profiled(one: Costs, part: float, per_request: bool) -> Costs:
    """With few requests, costs are counted per second, as the judge's reader does."""
    kept = max(round(part * one.samples.baseline.shape[-1]), 1)
    seconds = _first(one.seconds, kept)
    exposures = _first(one.exposures, kept) if per_request else seconds
    return replace(
        one, samples=one.samples.map(lambda values: values[..., :kept]), exposures=exposures, seconds=seconds
    )


def main() -> None:
    """Print how often whole rollouts said "worse"."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--looks", type=int, default=6, help="of each of the three steps")
    parser.add_argument("--size", choices=("demo", "quarter"), default="demo")
    parser.add_argument("--seed", type=int, default=4714)
    parser.add_argument("--planted", default="", help="the text of a row of RESULTS.md, such as 'memory +60'")
    options = parser.parse_args()
    planted = next((row[2] for row in GRID if options.planted and options.planted in row[0]), Planted())
    size, began = {"demo": DEMO, "quarter": QUARTER}[options.size], time.process_time()
    seen = []
    for one in rollouts(size, options.rollouts, options.looks, planted, options.seed):
        seen.append(one)
        counts = {field.name: sum(getattr(each, field.name) for each in seen) for field in fields(Seen)}
        print(f"\r{len(seen)} rollouts: {counts}", end="", flush=True)
    print(f"\n{size.name}; {planted}; {options.looks} looks a step; {time.process_time() - began:.0f} CPU-s")


if __name__ == "__main__":
    main()
