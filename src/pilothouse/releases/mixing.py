"""The same traffic mix: where the sides served different requests, a request counts for what it usually takes.

Costs per request (CPU, memory, log lines, counters) can only be compared when a request is the same thing on both
sides. Where the mix of operations differs, each request is weighed by how long its operation takes in the baseline, as
direct standardisation does in epidemiology: a side that got more of the expensive requests is expected to cost more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.reading import BUDGET, NANOSECONDS_SQL, bound, sums, window_sql, within_sql
from pilothouse.releases.wording import percent
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.statistics import Floats
    from pilothouse.releases.trial import Side, Trial

_APART = 0.1
_NOISE = 2.0
_SHARED = 0.8
_LEAST = 200
_MOST_OPERATIONS = 2000

_COUNTS = f"""SELECT name, {window_sql(NANOSECONDS_SQL)} AS w, count() AS n, sum(toFloat64(duration)) AS took FROM spans
WHERE identity IN {{identities:Array(UInt64)}} AND kind IN (2, 5) AND {within_sql(9)} GROUP BY name, w"""


@dataclass(frozen=True, slots=True)
class _Mix:
    """Requests [operations, windows] of a side, and nanoseconds of each operation."""

    requests: Floats
    took: Floats

    @property
    def shares(self) -> Floats:
        """Each operation's part of the requests."""
        totals: Floats = self.requests.sum(1)
        return totals / max(float(totals.sum()), 1.0)


def matched(engine: Engine, trial: Trial) -> tuple[Trial, list[str]]:
    """The trial with its requests weighed where the mix differs; and in words what cannot be compared."""
    if min(float(side.requests.sum()) for side in trial.sides) < _LEAST:
        return trial, []
    mixes = _mixes(engine, trial)
    distance = float(np.abs(mixes.baseline.shares - mixes.candidate.shares).sum() / 2)
    fewest = min(float(mix.requests.sum()) for mix in mixes)
    if distance <= max(_APART, _NOISE * math.sqrt(len(mixes.baseline.shares) / max(fewest, 1.0)) / 2):
        return trial, []
    known = mixes.baseline.requests.sum(1) > 0
    shared = float(mixes.candidate.shares[known].sum())
    names = [side.version for side in trial.sides]
    if shared < _SHARED:
        unlike = sentence(
            "the same requests to both: only {share} of those to {candidate} are to operations that {baseline} served",
            share=percent(shared),
            candidate=names[1],
            baseline=names[0],
        )
        return trial, [unlike]
    weights = _weights(mixes.baseline)
    sides = Both(
        replace(trial.sides.baseline, requests=weights @ mixes.baseline.requests),
        replace(trial.sides.candidate, requests=weights @ mixes.candidate.requests),
    )
    noted = sentence(
        "the mix of requests differed by {share}: for costs, a request counts as much as its operation takes on "
        "{baseline}",
        share=percent(distance),
        baseline=names[0],
    )
    return replace(trial, sides=sides, noted=(*trial.noted, noted)), []


def _weights(mix: _Mix) -> Floats:
    """How much a request of each operation counts: 1 on average in the baseline, and for what it does not know."""
    totals = mix.requests.sum(1)
    mean = np.divide(mix.took, totals, out=np.zeros_like(mix.took), where=totals > 0)
    overall = float(mix.took.sum()) / max(float(totals.sum()), 1.0)
    weights: Floats = np.where(totals > 0, mean / max(overall, 1e-9), 1.0)
    return weights


def _mixes(engine: Engine, trial: Trial) -> Both[_Mix]:
    tables = trial.sides.map(lambda side: engine.query(_COUNTS, bound(side), BUDGET))
    names = sorted({name for table in tables for name in table.column("name").to_pylist()})[:_MOST_OPERATIONS]
    places = {name: place for place, name in enumerate(names)}

    def laid_out(side: Side, table: object) -> _Mix:
        columns = {name: table.column(name).to_pylist() for name in ("name", "w", "n", "took")}  # type: ignore[attr-defined]
        rows = np.array([places.get(name, -1) for name in columns["name"]], dtype=np.int64)
        windows = np.array(columns["w"], dtype=np.int64)
        counts = sums((len(names), side.windows.count), (rows, windows), np.array(columns["n"], dtype=float))
        return _Mix(counts, sums((len(names),), (rows,), np.array(columns["took"], dtype=float)))

    return Both(laid_out(trial.sides.baseline, tables.baseline), laid_out(trial.sides.candidate, tables.candidate))
