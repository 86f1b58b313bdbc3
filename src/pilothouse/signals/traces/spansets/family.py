"""Who is whose parent among the spans of many traces, in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    root's parent is -1, and a span whose parent is missing has 0 everywhere.
    """
    size = len(traces)
    left, right, above = (np.zeros(size, dtype=np.int64) for _ in range(3))
    children: dict[int, list[int]] = {}
    for place in range(size - 1, -1, -1):
        children.setdefault(int(made.parent[place]), []).append(place)
    counters: dict[int, int] = {}
    stack: list[Any] = [(root, False) for root in children.get(_NONE, []) if made.siblings[root] < 0]
    while stack:
        place, leaving = stack.pop()
        trace = int(traces[place])
        counters[trace] = counters.get(trace, 0) + 1
        if leaving:
            right[place] = counters[trace]
            continue
        left[place] = counters[trace]
        above[place] = left[made.parent[place]] if made.parent[place] >= 0 else -1
        stack.append((place, True))
        stack.extend((child, False) for child in children.get(place, []))
    return left, right, above
