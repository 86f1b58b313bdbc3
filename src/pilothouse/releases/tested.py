"""One test of one measure of one subject, before all tests are held to one false discovery rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from pilothouse.releases.finding import Direction, SignalName
from pilothouse.releases.statistics.estimate import POWER, relative

Badness = Literal["up", "down", "neither"]
"""Which way is worse."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A test's outcome. `baseline` and `candidate` are in `unit`; `change` and `interval` relative.

    `material` says whether the change is big enough to matter, `lasting` whether it held over the windows and
    against ranks; `doubtful` that unequal traffic may have made it: it tells nothing by itself then, only where in what
    is told the change lies. `p_traffic` is the p-value of a second question where the traffic differs and its part is
    known: that the change is no more than the traffic makes (0: not asked). `error` is the standard error of the
    relative change's logarithm (None: not to be had) with its `freedom`, `weight` how much of the service this subject
    is (1: all of it); `prominence` its part of the room for false discoveries, from what was known before the sides
    were compared; `source` what the test was made from.
    """

    signal: SignalName
    subject: str
    measure: str
    unit: str
    baseline: float | None
    candidate: float | None
    change: float | None
    interval: tuple[float | None, float | None] | None
    p_value: float
    rising: bool
    bad: Badness
    material: bool
    lasting: bool
    doubtful: bool = False
    p_traffic: float = 0.0
    error: float | None = None
    freedom: float = 30.0
    weight: float = 0.0
    least: float = 0.0
    prominence: float = 1.0
    source: Any = None

    @property
    def direction(self) -> Direction:
        """What this change means if it is one."""
        if self.bad == "neither":
            return "moved"
        return "worse" if self.rising == (self.bad == "up") else "better"

    def sure_below(self, margin: float) -> float | None:
        """How sure it is that this is not worse by more than `margin` (relative); None if not to be had."""
        if self.error is None or self.change is None or self.change <= -1 or self.bad == "neither":
            return None
        step = np.log1p(self.change) * (1 if self.bad == "up" else -1)
        return float(stdtr(self.freedom, (np.log1p(margin) - step) / max(self.error, 1e-9)))

    def smallest_effect(self, p_value: float) -> float | None:
        """The relative change that a test at `p_value` would have found with a probability of 80 %."""
        if self.error is None or not np.isfinite(self.error):
            return None
        reach = stdtrit(self.freedom, 1 - p_value / 2) + stdtrit(self.freedom, POWER)
        return max(self.least, relative(float(reach) * self.error))
