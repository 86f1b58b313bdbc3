"""How sure a difference is: simultaneous bootstrap intervals for every function's change.

The replicates of each side (parts of its time, each with the profiles in it) are drawn again with replacement, some
thousand times; how far a function's change then lies from what was measured, in units of its own standard error, has a
largest value over all functions each time. The level's quantile of that largest value (the bootstrap max-t: Romano and
Wolf, Exact and Approximate Stepdown Methods for Multiple Hypothesis Testing, 2005) makes intervals that hold *all at
once*: of a hundred comparisons of a program with itself, at the default level, one in ten shows anything at all.
Sides that ran at the same time are drawn by the same parts of it: what moves both at once (load, a neighbour on the
machine, the hour) is then no noise of their difference.
To the standard error is added what two processes of the same code differ by in anything they do, and for memory that is
held what its sampling adds: a block that was noted is noted in each profile until it is freed, so that the profiles of
one process all have the same error, which drawing them again does not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.profiles.replicates import Floats, Replicates

Flags = NDArray[np.bool_]
LEVEL = 0.999
SPREAD = 0.01
"""Relative standard deviation between processes of the same code: where their memory lies, which core they run on."""
SHARE = 0.002
"""A change of less than this part of everything is not worth naming, however sure it is."""
_DRAWS = 2000
_MOST_FUNCTIONS = 2000
_LEAST_REPLICATES = 3


@dataclass(frozen=True, slots=True)
class Changes:
    """Of each function (a place in the costs' names): what it cost per exposure on both sides, and how its change lies.

    `low` and `high` bound `candidate - baseline`; `found` where zero is outside and the change is worth naming. Each is
    [functions, 2]: without and with what a function calls. The bounds hold all at once for the functions that cost at
    least `SHARE` of everything on one side, which are those that can be found. `enough` is false when there are too few
    replicates.
    """

    baseline: Floats
    candidate: Floats
    low: Floats
    high: Floats
    found: Flags
    enough: bool


def changes(
    measured: Replicates, scale: tuple[float, float] = (1.0, 1.0), level: float = LEVEL, seed: int = 1,
    grain: tuple[float, float] = (0.0, 0.0),
) -> Changes:  # fmt: skip
    """The change of every function; `scale` multiplies each side's rate (for example seconds a request).

    `grain` is what one sample stands for where what is held is sampled: of a sum S in one profile the variance is at
    most S times that (Poisson, blocks small against it).
    """
    rows = [_by_function(measured, side) for side in (0, 1)]
    exposures = [measured.exposures[side] / scale[side] for side in (0, 1)]
    rates = [rows[side].sum(axis=1) / exposures[side].sum() for side in (0, 1)]
    change = rates[1] - rates[0]
    counts = [int(np.count_nonzero(exposure)) for exposure in exposures]
    if min(counts) < _LEAST_REPLICATES:
        wide = np.full_like(change, np.inf)
        return _shaped(measured, rates, -wide, wide, np.zeros(len(change), np.bool_), False)
    # The rest costs next to nothing, and would only make the intervals of what matters wider.
    chosen = np.argsort(-(rates[0] + rates[1]), kind="stable")[:_MOST_FUNCTIONS]
    random = np.random.default_rng(seed)
    first = _weights(random, len(exposures[0]))
    drawn = first, first if measured.paired else _weights(random, len(exposures[1]))
    draws = [_rates(drawn[side], rows[side][chosen], exposures[side]) for side in (0, 1)]
    moved = draws[1] - draws[0] - change[chosen, None]
    if measured.paired:
        own = np.std(moved, axis=1) * np.sqrt(min(counts) / (min(counts) - 1))
    else:
        own = np.sqrt(sum(np.var(side, axis=1) * n / (n - 1) for side, n in zip(draws, counts, strict=True)))
    between = SPREAD * np.sqrt(sum(rates[side][chosen] ** 2 / max(measured.processes[side], 1) for side in (0, 1)))
    sampled = sum(np.abs(rates[side][chosen]) * grain[side] / max(measured.processes[side], 1) for side in (0, 1))
    error = np.sqrt(own**2 + between**2 + sampled)
    ratio = np.divide(np.abs(moved), own[:, None], out=np.zeros_like(moved), where=own[:, None] > 0)
    whole = max(float(measured.values[side].sum() / exposures[side].sum()) for side in (0, 1))
    # What costs less than is worth naming cannot be named, so it is no test, and its few samples are the wildest.
    worth = np.maximum(rates[0], rates[1])[chosen] >= SHARE * whole
    largest = ratio[worth].max(axis=0, initial=0.0)
    freedom = min(counts) - 1 if measured.paired else sum(counts) - 2
    least = _student(level, int(worth.sum()), freedom, own, error)
    critical = np.maximum(float(np.quantile(largest, level)), least)
    half = np.full(len(change), np.inf)
    half[chosen] = critical * error
    found = (np.abs(change) > half) & (np.abs(change) >= SHARE * whole)
    return _shaped(measured, rates, change - half, change + half, found, True)


def _by_function(measured: Replicates, side: int) -> Floats:
    """[2 x functions, replicates]: first each function's own cost, then with what it calls."""
    from scipy import sparse

    stacks, values = measured.stacks, measured.values[side]
    shape = (len(stacks.names), len(stacks.depths))
    filled = np.flatnonzero(stacks.depths > 0)
    leaves = stacks.codes[stacks.offsets[:-1][filled]]
    own = sparse.csr_array((np.ones(len(filled)), (leaves, filled)), shape=shape)
    of_stack = np.repeat(np.arange(shape[1]), stacks.depths)
    once = np.unique(np.stack([stacks.codes, of_stack]), axis=1)
    total = sparse.csr_array((np.ones(once.shape[1]), (once[0], once[1])), shape=shape)
    rows: Floats = np.vstack([np.asarray(own @ values), np.asarray(total @ values)])
    return rows


def _weights(random: np.random.Generator, count: int) -> Floats:
    """[replicates, draws]: how often each is in a draw of so many with replacement."""
    drawn = random.integers(count, size=(_DRAWS, count)) + np.arange(_DRAWS)[:, None] * count
    weights: Floats = np.bincount(drawn.ravel(), minlength=_DRAWS * count).reshape(_DRAWS, count).T.astype(float)
    return weights


def _rates(weights: Floats, rows: Floats, exposures: Floats) -> Floats:
    """[functions, draws]: rates of replicates drawn with replacement."""
    covered = exposures @ weights
    rates: Floats = (rows @ weights) / np.where(covered > 0, covered, 1)
    return rates


def _student(level: float, tests: int, freedom: int, own: Floats, error: Floats) -> Floats:
    """The least that each critical value is: a few replicates drawn again do not show how wild the next may be.

    Only what the replicates show is estimated from so few, the rest of the error is assumed: freedom is for both
    together (Satterthwaite, An Approximate Distribution of Estimates of Variance Components, 1946).
    """
    from scipy import stats

    together = np.divide(error, own, out=np.ones_like(error), where=own > 0) ** 4 * max(freedom, 1)
    least: Floats = stats.t.isf((1 - level) / 2 / max(tests, 1), np.minimum(together, 1e6))
    return least


def _shaped(
    measured: Replicates, rates: list[Floats], low: Floats, high: Floats, found: Flags, enough: bool
) -> Changes:
    def columns(numbers: Any) -> Any:
        return numbers.reshape(2, len(measured.stacks.names)).T

    return Changes(columns(rates[0]), columns(rates[1]), columns(low), columns(high), columns(found), enough)
