"""An operation: a span name and kind of the service, with its durations and errors in each window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.statistics import Floats

ERROR_SHARES = ("error share", "error share outside bursts")
"""The measures of how often an operation fails: of all requests, and without the windows that had most errors."""
KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
BUCKETS_PER_E = 64
"""Durations are counted in logarithmic buckets of 1.6 %: bucket i holds exp(i / 64) to exp((i + 1) / 64) ns."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`durations` are counts [windows, buckets] from bucket `first` on; `errors` counts [windows].

    `instances` holds the mean logarithm of the duration (ns) of each instance that has enough requests.
    """

    name: str
    kind: int
    first: int
    durations: Both[Floats]
    errors: Both[Floats]
    instances: Both[Floats]

    @property
    def entry(self) -> bool:
        """Whether it serves requests, so that its latency is what the caller feels."""
        return self.kind in (2, 5)

    @property
    def counts(self) -> Both[Floats]:
        """Requests in each window."""
        return self.durations.map(lambda side: side.sum(1))

    @property
    def edges(self) -> Floats:
        """Logarithms of the buckets' bounds in nanoseconds."""
        buckets = self.durations.baseline.shape[1]
        return (self.first + np.arange(buckets + 1)) / BUCKETS_PER_E


@dataclass(frozen=True, slots=True)
class Operations:
    """All operations of a trial; `cut_off` when there were more than are judged."""

    operations: tuple[Operation, ...]
    cut_off: bool = False
