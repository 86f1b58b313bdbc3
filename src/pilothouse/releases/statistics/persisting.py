"""A change counts only when it lasts: most windows show it, and the last ones too; no burst makes it."""

from __future__ import annotations

import math

import numpy as np

from pilothouse.releases.statistics.counting import compare_rates
from pilothouse.releases.statistics.estimate import Floats

_MOST = 0.6
_CONSECUTIVE = 3
_BURSTS = 0.1
_STILL = 0.001


def persists(baseline: Floats, candidate: Floats, difference: float) -> bool:
    """Whether candidate windows stay beyond the baseline's middle by half the difference.

    At least 60 % of the windows do, three of them in a row, and so does the last third taken together.
    """
    middle = np.nanmedian(baseline) if np.isfinite(baseline).any() else 0.0
    values = candidate[np.isfinite(candidate)]
    if len(values) < _CONSECUTIVE:
        return False
    beyond = (values - middle) * np.sign(difference) > abs(difference) / 2
    late = values[-max(len(values) // 3, 1) :]
    return bool(
        beyond.mean() >= _MOST
        and _longest_run(beyond) >= _CONSECUTIVE
        and (np.median(late) - middle) * np.sign(difference) > abs(difference) / 2
    )


def rate_persists(
    baseline: Floats, candidate: Floats, exposures: tuple[Floats, Floats], paired: bool, spread: float = 0.0
) -> bool:
    """Whether a difference of rates stands without the worst tenth of the windows on the side that has more.

    `baseline` and `candidate` are one subject's counts [windows]. What remains must still be unlikely (0.001) and at
    least half as large.
    """
    sides = [baseline, candidate]
    rates = [float(side.sum() + 0.5) / float(exposure.sum()) for side, exposure in zip(sides, exposures, strict=True)]
    more = int(rates[1] > rates[0])
    if np.count_nonzero(sides[more]) < _CONSECUTIVE:
        return False
    worst = np.argsort(sides[more])[-math.ceil(_BURSTS * len(sides[more])) :]
    kept = [
        (np.delete(side, worst), np.delete(exposure, worst)) if paired or place == more else (side, exposure)
        for place, (side, exposure) in enumerate(zip(sides, exposures, strict=True))
    ]
    if min(float(exposure.sum()) for _, exposure in kept) <= 0:
        return False
    rest = compare_rates(kept[0][0][None], kept[1][0][None], (kept[0][1], kept[1][1]), paired, spread)
    left = [float(side.sum() + 0.5) / float(exposure.sum()) for side, exposure in kept]
    change, remaining = math.log(rates[1] / rates[0]), math.log(left[1] / left[0])
    return bool(rest.p_value[0] <= _STILL and remaining * np.sign(change) >= abs(change) / 2)


def _longest_run(flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
