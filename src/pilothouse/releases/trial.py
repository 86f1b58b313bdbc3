"""The trial: two sides, their windows and their traffic, before any judging."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.party import Party
from pilothouse.releases.rules import Rules
from pilothouse.releases.window import Windows
from pilothouse.signals.timerange import TimeRange, to_rfc3339

if TYPE_CHECKING:
    from pilothouse.releases.slos.objective import Objective
    from pilothouse.releases.statistics import Floats

Kind = Literal["canary", "before_after", "subsets", "migration"]
# How much the ratio of the traffic is off by, at most.
_UNLIKE = 2.0
_LOAD_SLACK = 1.1


@dataclass(frozen=True, slots=True)
class Side:
    """One side, called by its version (or label): its identities, when (ns) each began to speak, its windows.

    `requests` is the number of requests it served in each window (zeros when nothing counts them); `born` maps an
    identity to its first sign of life, `instances` those that are one to the instance's name.
    """

    version: str
    windows: Windows
    born: dict[int, int]
    instances: dict[int, str]
    requests: Floats
    party: Party = field(default_factory=Party)

    @property
    def identities(self) -> list[int]:
        """All identities of this version."""
        return list(self.born)

    @property
    def size(self) -> int:
        """How many instances it had."""
        return max(len(set(self.instances.values())), 1)

    @property
    def seconds(self) -> float:
        """How long it is judged for."""
        return self.windows.seconds * self.windows.count

    @property
    def traffic(self) -> float:
        """Requests per second and instance."""
        return float(self.requests.sum()) / max(self.seconds, 1e-9) / self.size

    def to_json(self) -> dict[str, Any]:
        """As `/api/compare` answers it."""
        return {
            "version": self.version,
            "start": to_rfc3339(self.windows.start),
            "end": to_rfc3339(self.windows.end),
            "instances": self.size,
            "requests": int(self.requests.sum()),
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """What all signals are judged under; `paired` says whether a window is the same time on both sides.

    `noted` is what a reader must know of how the sides were chosen; `objectives` what the service promises.
    """

    service: str
    kind: Kind
    sides: Both[Side]
    rules: Rules = field(default_factory=Rules)
    paired: bool = True
    noted: tuple[str, ...] = ()
    objectives: tuple[Objective, ...] = ()

    @property
    def range(self) -> TimeRange:
        """From the first window of either side to the last."""
        windows = [side.windows for side in self.sides]
        return TimeRange(min(one.start for one in windows), max(one.end for one in windows))

    @property
    def requests(self) -> Both[Floats]:
        """Requests in each window."""
        return self.sides.map(lambda side: side.requests)

    @property
    def exposures(self) -> Both[Floats]:
        """What events are counted per: requests, or the instances' seconds where requests are not counted."""
        if self.per_request:
            return self.requests
        return self.sides.map(lambda side: np.full(side.windows.count, side.windows.seconds * side.size))

    @property
    def per_request(self) -> bool:
        """Whether enough requests are known on both sides to count by them."""
        return all(side.requests.sum() >= self.rules.least_requests for side in self.sides)

    @property
    def load_ratio(self) -> float:
        """The candidate's traffic per instance against the baseline's; 1 when it is not known."""
        if not self.per_request:
            return 1.0
        return self.sides.candidate.traffic / self.sides.baseline.traffic

    @property
    def same_load(self) -> bool:
        """Whether both sides' instances serve the same traffic, within a tenth."""
        return bool(abs(np.log(self.load_ratio)) < 0.1)

    def beyond_load(self, ratio: float, least: float = 0.0, most: float = 1.0) -> bool:
        """Whether a ratio of costs per request is more than unequal traffic can make of one and the same program."""
        if self.same_load:
            return True
        low, high = self.of_load(least, most)
        return not low / _LOAD_SLACK <= ratio <= high * _LOAD_SLACK

    def of_load(self, least: float = 0.0, most: float = 1.0) -> tuple[float, float]:
        """The ratios of costs per request that unequal traffic can make of one and the same program, from and to.

        A part of what a process costs is there without a request (telemetry that is sent, timers, collections): with a
        twentieth of the traffic it is twenty times as much per request. So what lies between a cost that follows the
        requests in proportion and one that follows them with an elasticity of `least` (0: not at all, -1: it falls as
        they rise) tells nothing; nor does what lies below one that grows with their power of `most`.
        """
        unequal = (1.0, least + (1 - least) / self.load_ratio, self.load_ratio ** (most - 1))
        return min(unequal), max(unequal)

    @property
    def uncounted_load(self) -> bool:
        """Whether the sides' traffic is unlike (by two), and on one of them too little to say what a request costs."""
        one, other = (side.traffic for side in self.sides)
        return not self.per_request and max(one, other) > _UNLIKE * min(one, other)

    @property
    def same_instances(self) -> bool:
        """Whether both sides are the same instances at two times: what they differ by is then no matter."""
        base, other = (set(side.instances.values()) for side in self.sides)
        return bool(base) and not self.paired and len(base & other) >= max(len(base), len(other)) / 2

    def spread(self, deviation: float) -> float:
        """The standard deviation to assume between instances, wider when the sides were not at the same time."""
        return deviation if self.paired or self.same_instances else deviation * self.rules.not_before

    def spread_of_rates(self, deviation: float) -> float:
        """The same as the variance of a log ratio between all instances of both sides."""
        sizes = sum(1 / side.size for side in self.sides)
        return self.spread(deviation) ** 2 * sizes
