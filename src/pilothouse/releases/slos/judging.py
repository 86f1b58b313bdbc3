"""The objectives' part in the verdict: does the candidate spend the budget faster than the baseline, and too fast?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.finding import Finding
from pilothouse.releases.slos.objective import Objective
from pilothouse.releases.statistics import Floats, compare_rates, rate_persists
from pilothouse.releases.tested import Tested
from pilothouse.releases.traces.explaining import durations_path
from pilothouse.releases.wording import digits, percent
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.releases.traces.operation import Operation, Operations
    from pilothouse.releases.trial import Trial

_REMARKABLE = 0.01
MEASURE = "error budget"
_PROMISED = 0.5


def judge(objectives: Sequence[Objective], found: Operations, trial: Trial) -> list[Tested]:
    """One test an objective on requests; it matters when the candidate spends more than the budget allows."""
    tests = []
    for one in objectives:
        operations = [
            operation for operation in found.operations if operation.entry and one.operation in ("", operation.name)
        ]
        if one.kind in ("availability", "latency") and operations and (test := _tested(one, operations, trial)):
            tests.append(test)
    return tests


def _tested(objective: Objective, operations: list[Operation], trial: Trial) -> Tested | None:
    totals = [_sum([tuple(one.counts)[side] for one in operations]) for side in (0, 1)]
    bads = [_sum([_bad(objective, one, side) for one in operations]) for side in (0, 1)]
    if min(float(side.sum()) for side in totals) < trial.rules.least_requests or not sum(side.sum() for side in bads):
        return None
    exposures = (totals[0], totals[1])
    # How long requests take differs between instances; whether they fail hardly does.
    spread = trial.spread_of_rates(trial.rules.rate_spread) if objective.kind == "latency" else 0.0
    rates = compare_rates(bads[0][None], bads[1][None], exposures, trial.paired, spread)
    shares = Both(float(bads[0].sum() / totals[0].sum()), float(bads[1].sum() / totals[1].sum()))
    change = float(rates.ratio[0]) - 1
    return Tested(
        signal="traces",
        subject=objective.name,
        measure=MEASURE,
        unit="",
        baseline=shares.baseline,
        candidate=shares.candidate,
        change=change if np.isfinite(change) else None,
        interval=(float(rates.low[0]) - 1, float(rates.high[0]) - 1 if np.isfinite(rates.high[0]) else None),
        p_value=float(rates.p_value[0]),
        rising=shares.candidate > shares.baseline,
        bad="up",
        material=shares.candidate > objective.budget and abs(change) >= trial.rules.error_change,
        lasting=float(rates.p_value[0]) < _REMARKABLE
        and rate_persists(bads[0], bads[1], exposures, trial.paired, spread),
        prominence=_PROMISED,
        source=(objective, operations[0]),
    )


def explain(held: list[tuple[Tested, float]], trial: Trial) -> list[Finding]:
    """One finding an objective whose test held."""
    return [_finding(test, q, trial) for test, q in held]


def _finding(test: Tested, q: float, trial: Trial) -> Finding:
    objective, operation = test.source
    burns = [(share or 0.0) / objective.budget for share in (test.baseline, test.candidate)]
    return Finding(
        signal="traces",
        subject=objective.operation or operation.name,
        direction=test.direction,
        title=sentence(
            "the objective {name} ({words}) is missed: its budget burns at {now} instead of {before} times the rate "
            "that it allows ({share} bad)",
            name=repr(objective.name),
            words=objective.words,
            now=digits(burns[1]),
            before=digits(burns[0]),
            share=percent(test.candidate or 0.0),
        ),
        measure=MEASURE,
        baseline=test.baseline,
        candidate=test.candidate,
        unit="",
        change=test.change,
        interval=test.interval,
        p_value=test.p_value,
        q_value=q,
        evidence=durations_path(trial, objective.operation or operation.name, operation.kind),
        detail={"kind": operation.kind, "objective": objective.name, "burn_rates": burns, "also": []},
    )


def _bad(objective: Objective, operation: Operation, side: int) -> Floats:
    if objective.kind == "availability":
        return tuple(operation.errors)[side]
    counts = tuple(operation.durations)[side]
    limit = float(np.log(objective.below * 1e6 + 1))
    # A bucket of 1.6 % that the limit falls into is counted by the part above it.
    edges = operation.edges
    above = np.clip((edges[1:] - limit) / (edges[1:] - edges[:-1]), 0.0, 1.0)
    bad: Floats = np.round(counts @ above)
    return bad


def _sum(sides: list[Floats]) -> Floats:
    whole: Floats = np.sum(sides, axis=0)
    return whole
