"""One function from all sides: who calls it, what it calls, which of its lines cost what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pilothouse.signals.profiles.asking import Costs
from pilothouse.signals.profiles.model import Numbers

Named = tuple[str, str]
"""A function and its file."""


@dataclass(frozen=True, slots=True)
class FunctionView:
    """`callers` and `callees` have what passes through each, dearest first; `lines` are (file, line), own, total.

    `above` are the stacks from the function up, its callers below it as in a flame graph turned over; `below` those
    from it down. A function that calls itself is taken where it was called first.
    """

    own: int
    total: int
    callers: list[tuple[Named, int]]
    callees: list[tuple[Named, int]]
    lines: list[tuple[tuple[str, int], int, int]]
    above: Costs
    below: Costs


def function_view(found: Costs, function: str, file: str = "") -> FunctionView:
    """The function of this name, of one file or of all that have one, in the first selection."""
    wanted = np.array([name == function and file in ("", path) for name, path in found.names], np.bool_)
    matches = wanted[found.codes] if len(found.codes) else np.zeros(0, np.bool_)
    places = np.flatnonzero(matches)
    of_stack = np.repeat(np.arange(len(found.depths)), found.depths)[places]
    # Leaf first: the last place in a stack is where it was called first.
    last = np.append(of_stack[1:] != of_stack[:-1], True) if len(places) else np.zeros(0, np.bool_)
    stacks, at = of_stack[last], places[last]
    values = found.values[stacks, 0]
    starts, ends = found.offsets[stacks], found.offsets[stacks + 1]
    leaf = matches[starts] if len(stacks) else np.zeros(0, np.bool_)
    return FunctionView(
        int(values[leaf].sum()),
        int(values.sum()),
        _summed(found, at[at + 1 < ends] + 1, values[at + 1 < ends]),
        _summed(found, at[at > starts] - 1, values[at > starts]),
        _lines(found, places, of_stack),
        _part(found, stacks, ends - 1, ends - at, -1),
        _part(found, stacks, starts, at - starts + 1, 1),
    )


def _summed(found: Costs, places: Numbers, values: Numbers) -> list[tuple[Named, int]]:
    codes, place = np.unique(found.codes[places], return_inverse=True)
    sums = np.zeros(len(codes), np.int64)
    np.add.at(sums, place, values)
    order = np.argsort(-sums, kind="stable")
    return [(found.names[codes[one]], int(sums[one])) for one in order.tolist() if sums[one]]


def _lines(found: Costs, places: Numbers, of_stack: Numbers) -> list[tuple[tuple[str, int], int, int]]:
    """A line that is in a stack more than once counts once."""
    sums: dict[tuple[str, int], list[int]] = {}
    once: set[tuple[int, tuple[str, int]]] = set()
    own = (found.offsets[of_stack] == places).tolist()
    columns = found.codes[places], found.lines[places], of_stack, found.values[of_stack, 0]
    for (code, line, stack, value), leaf in zip(
        zip(*(column.tolist() for column in columns), strict=True), own, strict=True
    ):
        where = (found.names[code][1], line)
        said = sums.setdefault(where, [0, 0])
        said[0] += value if leaf else 0
        if (stack, where) not in once:
            once.add((stack, where))
            said[1] += value
    return [(where, itself, total) for where, (itself, total) in sorted(sums.items()) if total]


def _part(found: Costs, stacks: Numbers, first: Numbers, lengths: Numbers, step: int) -> Costs:
    """A part of each stack, from `first` on in steps of 1 or -1."""
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    within = np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], lengths)
    places = np.repeat(first, lengths) + step * within
    return Costs(found.names, found.codes[places], found.lines[places], offsets, found.values[stacks])
