"""A change counts only when it lasts: most windows show it, and the last ones too."""

from __future__ import annotations

import numpy as np

from pilothouse.releases.statistics.estimate import Floats

_MOST = 0.6
_CONSECUTIVE = 3


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


def _longest_run(flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
