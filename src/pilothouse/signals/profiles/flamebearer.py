"""Pyroscope's form of a flame graph: a list of numbers a level.

A node of one selection is four numbers: how far it begins after the end of the node before, its total, its own value,
its name's place. A node of a comparison has the first three for either side, then the name's place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pilothouse.signals.profiles.model import Numbers
from pilothouse.signals.profiles.tree import Tree, children_of


@dataclass(frozen=True, slots=True)
class Flamebearer:
    """`levels` from the root down; `totals` has one number for each selection."""

    names: list[str]
    levels: list[list[int]]
    totals: list[int]
    max_self: int


def flamebearer(tree: Tree) -> Flamebearer:
    """The tree's levels, for one selection or two."""
    names = ["total", *(name for name, _ in tree.names)]
    own = tree.values - _below(tree)
    children, starts = children_of(tree), np.zeros_like(tree.values)
    levels, level = [], [0]
    while level:
        levels.append(_level(tree, level, starts, own))
        below = []
        for node in level:
            at = starts[node]
            for child in children[node]:
                starts[child] = at
                at = at + tree.values[child]
            below += children[node]
        level = below
    return Flamebearer(names, levels, tree.values[0].tolist(), int(own.sum(axis=1).max()))


def _level(tree: Tree, level: list[int], starts: Numbers, own: Numbers) -> list[int]:
    at = np.array(level)
    ends = starts[at] + tree.values[at]
    gaps = starts[at] - np.concatenate((np.zeros((1, ends.shape[1]), np.int64), ends[:-1]))
    columns = [
        column for side in range(ends.shape[1]) for column in (gaps[:, side], tree.values[at, side], own[at, side])
    ]
    numbers: list[int] = np.stack([*columns, tree.codes[at] + 1], axis=1).ravel().tolist()
    return numbers


def _below(tree: Tree) -> Numbers:
    """For each node the sum of its children's values."""
    sums = np.zeros_like(tree.values)
    np.add.at(sums, tree.parents[1:], tree.values[1:])
    return sums
