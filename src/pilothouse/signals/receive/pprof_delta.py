"""What was spent between two cumulative profiles of one process, as Go's heap profile wants it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

import numpy as np

from pilothouse.signals.profiles.hashing import stack_hashes
from pilothouse.signals.profiles.model import Profile


def difference(profile: Profile, before: Profile, cumulative: Set[str]) -> Profile:
    """`profile` with the values of `before` taken off for the types that only ever grow.

    A stack that shrank was counted by another process (a restart): its value stands as it is.
    """
    values = profile.values.copy()
    earlier = {kind.type: column for column, kind in enumerate(before.types)}
    rows = {key: row for row, key in enumerate(_keys(before))}
    # Of rows that share a stack and labels only the first has the earlier value taken off.
    same = np.array([rows.pop(key, -1) for key in _keys(profile)], np.int64)
    first, at = same >= 0, same[same >= 0]
    for column, kind in enumerate(profile.types):
        if kind.type in cumulative and kind.type in earlier:
            grown = values[first, column] - before.values[at, earlier[kind.type]]
            values[first, column] = np.where(grown >= 0, grown, values[first, column])
    return replace(profile, values=values)


def _keys(profile: Profile) -> list[tuple[int, tuple[tuple[str, str], ...]]]:
    hashes = stack_hashes(profile.stacks)[profile.stack_of].tolist()
    labels = [tuple(sorted(labels.items())) for labels in profile.label_sets]
    return [(stack, labels[place]) for stack, place in zip(hashes, profile.labels_of.tolist(), strict=True)]
