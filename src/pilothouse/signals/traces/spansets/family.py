"""Who is whose parent among the spans of many traces, in arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Places = NDArray[np.int64]
_NONE = -1


@dataclass(frozen=True, slots=True)
class Family:
    """For each span the place of its parent (-1: none is here), and a number that its siblings share (-1: a root)."""

    parent: Places
    siblings: Places

    def children(self, of: Mask) -> Mask:
        """The spans whose parent is in `of`."""
        return (self.parent >= 0) & of[self.parent]

    def parents(self, of: Mask) -> Mask:
        """The spans that are the parent of one in `of`."""
        found = np.zeros(len(of), dtype=bool)
        above = self.parent[of]
        found[above[above >= 0]] = True
        return found

    def descendants(self, of: Mask) -> Mask:
        """The spans that have an ancestor in `of`: each round looks twice as far up."""
        found, up = self.children(of), self.parent
        for _ in range(len(of).bit_length()):
            known = up >= 0
            wider = found | (known & found[up])
            up = np.where(known, up[up], _NONE)
            if not (up >= 0).any():
                return wider
            found = wider
        return found

    def ancestors(self, of: Mask) -> Mask:
        """The spans that have a descendant in `of`."""
        found = np.zeros(len(of), dtype=bool)
        above = np.unique(self.parent[of])
        while len(above := above[above >= 0]):
            above = above[~found[above]]
            found[above] = True
            above = np.unique(self.parent[above])
        return found

    def siblings_of(self, of: Mask) -> Mask:
        """The spans that have a sibling in `of` other than themselves."""
        known = self.siblings >= 0
        counts = np.bincount(self.siblings[known & of], minlength=int(self.siblings.max(initial=0)) + 1)
        return known & (counts[self.siblings] - of > 0)


def family(traces: Places, spans: NDArray[np.uint64], parents: NDArray[np.uint64]) -> Family:
    """The family of spans given by a number of their trace, their id and their parent's id (0: none)."""
    ids, numbers = np.unique(np.concatenate((spans, parents)), return_inverse=True)
    own, above = numbers[: len(spans)], numbers[len(spans) :]
    keys, wanted = traces * len(ids) + own, traces * len(ids) + above
    order = np.argsort(keys, kind="stable")
    places = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    found = order[places]
    has = (keys[found] == wanted) & (parents != 0) & (found != np.arange(len(keys)))
    siblings = np.unique(wanted, return_inverse=True)[1].astype(np.int64)
    return Family(np.where(has, found, _NONE), np.where(parents != 0, siblings, _NONE))


def nested_sets(made: Family, traces: Places) -> tuple[Places, Places, Places]:
    """Left, right and the parent's left of each span, numbered from 1 in each trace in the order of the spans; a
    root's parent is -1, and a span without a way up to a root has 0 everywhere.
    """
    depths = _depths(made)
    rooted = depths >= 0
    order = np.lexsort((np.arange(len(traces)), made.parent, traces, depths))
    order = order[rooted[order]]
    levels = np.split(order, np.flatnonzero(np.diff(depths[order])) + 1) if len(order) else []
    sizes = np.ones(len(traces), dtype=np.int64)
    for level in reversed(levels[1:]):
        np.add.at(sizes, made.parent[level], sizes[level])
    before = np.zeros(len(traces), dtype=np.int64)
    for level in levels:
        above = made.parent[level]
        # What was entered before a span: its parent and all before that, and its elder siblings with all below them.
        elder = np.cumsum(sizes[level]) - sizes[level]
        firsts = np.flatnonzero(np.r_[True, (np.diff(above) != 0) | (np.diff(traces[level]) != 0)])
        elder -= np.repeat(elder[firsts], np.diff(np.r_[firsts, len(level)]))
        before[level] = elder + np.where(above >= 0, before[above] + 1, 0)
    # Of those entered before, all have been left but the ancestors: each of the two counts one.
    left = np.where(rooted, 2 * before - depths + 1, 0)
    right = np.where(rooted, left + 2 * sizes - 1, 0)
    parent = np.where(made.parent >= 0, left[made.parent], -1)
    return left, right, np.where(rooted, parent, 0)


def _depths(made: Family) -> Places:
    """How many ancestors each span has, each round twice as far up; -1 where there is no way up to a root."""
    depths = (made.parent >= 0).astype(np.int64)
    tops = np.where(made.parent >= 0, made.parent, np.arange(len(depths)))
    for _ in range(len(depths).bit_length()):
        if not (made.parent[tops] >= 0).any():
            break
        depths += depths[tops]
        tops = tops[tops]
    return np.where((made.parent[tops] < 0) & (made.siblings[tops] < 0), depths, _NONE)
