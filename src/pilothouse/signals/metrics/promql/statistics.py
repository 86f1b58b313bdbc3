"""What a query took: samples and seconds, as Prometheus' `stats` tell them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Statistics:
    """Counts of samples, and seconds.

    `read` came from the store, each once. `queryable` were looked at by selectors, once for each step or window they
    lie in; where the store works windows out this is known only if it was asked for (`counted`). `peak` is what counts
    against the limit of a query: all that was read and all that was made of it.
    """

    read: int = 0
    queryable: int = 0
    peak: int = 0
    counted: bool = False
    preparing: float = 0.0
    evaluating: float = 0.0
    queued: float = 0.0

    @property
    def told(self) -> dict[str, Any]:
        """As the API says it. Sorting is part of evaluating here, and has no time of its own."""
        total = self.preparing + self.evaluating
        samples = {"samplesRead": self.read, "peakSamples": self.peak}
        if self.counted:
            samples = {"totalQueryableSamples": self.queryable, **samples}
        return {
            "timings": {
                "evalTotalTime": total,
                "resultSortTime": 0,
                "queryPreparationTime": self.preparing,
                "innerEvalTime": self.evaluating,
                "execQueueTime": self.queued,
                "execTotalTime": total + self.queued,
            },
            "samples": samples,
        }
