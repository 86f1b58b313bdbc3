"""How the engine is told which series to read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.engine import Budget

# A list of numbers is parsed, hashed and looked into for each sample; from so large a share of a metric on, reading all
# that lies between the first and the last is cheaper, although some is thrown away.
_SHARE = 0.6
# Samples that one statement sorts or groups at most: of more it would need gigabytes, and in the end the disk.
_A_PIECE = 8_000_000
_USUAL_INTERVAL = 15_000


def chosen(numbers: list[int], of: int) -> tuple[str, Mapping[str, int | list[int]]]:
    """A condition on `series` and its parameters, for some of the `of` series of one metric (0: of several metrics).

    The series of a metric lie beside each other (`numbering`), so that few others are in between; the answer may hold
    them, and series that are not wanted.
    """
    if of and len(numbers) >= of * _SHARE:
        return (
            "series BETWEEN {lowest:UInt64} AND {highest:UInt64}",
            {"lowest": min(numbers), "highest": max(numbers)},
        )
    return "series IN {numbers:Array(UInt64)}", {"numbers": numbers}


def in_pieces(
    numbers: list[int], of: int, duration: int, budget: Budget | None
) -> Iterator[tuple[list[int], int, Budget | None]]:
    """Series in parts that can be read at once over `duration` milliseconds, each as `chosen` takes it.

    The last of each is the budget of its statement: all have the time of one together.
    """
    expected = max(1, duration // _USUAL_INTERVAL)
    size = max(1, _A_PIECE // expected)
    if len(numbers) <= size:
        yield numbers, of, budget
        return
    begun, ordered = time.monotonic(), sorted(numbers)
    for place in range(0, len(ordered), size):
        piece = ordered[place : place + size]
        left = budget and replace(budget, seconds=max(0.01, budget.seconds - (time.monotonic() - begun)))
        yield piece, round(of * len(piece) / len(ordered)), left


def among(answered: NDArray[Any], numbers: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Which rows of an answer that is sorted by series are of `numbers` (sorted); None when all are.

    A range may also hold series that came after their metric was looked up, and those of a metric with the same head.
    """
    begins = np.flatnonzero(np.append(True, answered[1:] != answered[:-1]))
    places = np.minimum(np.searchsorted(numbers, answered[begins]), len(numbers) - 1)
    known = numbers[places] == answered[begins]
    return None if known.all() else np.repeat(known, np.diff(np.append(begins, len(answered))))
