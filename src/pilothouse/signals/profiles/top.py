"""Functions by what they cost: themselves, and with all that they call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pilothouse.signals.profiles.asking import Costs
from pilothouse.signals.profiles.model import Numbers


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """What a function costs, one number for each selection; `own` without what it calls."""

    function: str
    file: str
    own: tuple[int, ...]
    total: tuple[int, ...]


def top(found: Costs, limit: int, by_total: bool = False) -> list[FunctionCost]:
    """The dearest functions. One that calls itself is counted once a stack."""
    own, total = function_costs(found)
    ranked = np.lexsort((-total.sum(axis=1), -own.sum(axis=1)) if not by_total else (-total.sum(axis=1),))
    chosen = ranked[:limit]
    return [
        FunctionCost(name, file, tuple(own[code].tolist()), tuple(total[code].tolist()))
        for code, (name, file) in ((code, found.names[code]) for code in chosen.tolist())
        if total[code].any()
    ]


def function_costs(found: Costs) -> tuple[Numbers, Numbers]:
    """For each of `found.names` its own and its total value in each selection."""
    own = np.zeros((len(found.names), found.values.shape[1]), np.int64)
    total = own.copy()
    filled = found.depths > 0
    np.add.at(own, found.codes[found.offsets[:-1][filled]], found.values[filled])
    of_stack = np.repeat(np.arange(len(found.depths)), found.depths)
    once = np.unique(of_stack * max(len(found.names), 1) + found.codes)
    stack, code = np.divmod(once, max(len(found.names), 1))
    np.add.at(total, code, found.values[stack])
    return own, total


def most_changed(found: Costs, limit: int) -> list[FunctionCost]:
    """The functions whose own value differs most between the first selection and the second."""
    own, total = function_costs(found)
    moved, below = np.abs(own[:, 1] - own[:, 0]), np.abs(total[:, 1] - total[:, 0])
    return [
        FunctionCost(name, file, tuple(own[code].tolist()), tuple(total[code].tolist()))
        for code, (name, file) in ((code, found.names[code]) for code in np.lexsort((-below, -moved))[:limit].tolist())
        if moved[code] or below[code]
    ]


def folded(found: Costs, limit: int) -> list[tuple[list[str], int]]:
    """The dearest stacks by their functions' names, root first, with the first selection's value."""
    summed: dict[tuple[str, ...], int] = {}
    functions = [name for name, _ in found.names]
    codes, offsets = found.codes.tolist(), found.offsets.tolist()
    for place, value in enumerate(found.values[:, 0].tolist()):
        names = tuple(functions[code] for code in reversed(codes[offsets[place] : offsets[place + 1]]))
        summed[names] = summed.get(names, 0) + value
    dearest = sorted(summed.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [(list(names), value) for names, value in dearest if value]
