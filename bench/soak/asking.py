"""Somebody who asks all the while, and knows how long it took."""

from __future__ import annotations

import statistics
import threading
import time
from itertools import cycle
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from bench.soak.serving import Served

_QUESTIONS = {
    "logs": ("/loki/api/v1/query_range", {"query": '{service_name="soak"} |= "7 of"', "limit": "100"}),
    "metrics": ("/prometheus/api/v1/query", {"query": 'sum(rate(soak_number{job="soak"}[1m]))'}),
    "traces": ("/api/traces", {"service": "soak", "since": "15m", "limit": "20"}),
    "services": ("/api/services", {}),
}
_QUICK_SECONDS = 0.2


class Asker(threading.Thread):
    """Asks one question after the other. While the server is away nothing is counted; an error of it is."""

    def __init__(self, served: Served) -> None:
        super().__init__(daemon=True, name="soak-questions")
        self._served, self.stop = served, threading.Event()
        self.failed, self.reasons = 0, list[str]()
        self._took: dict[str, list[float]] = {name: [] for name in _QUESTIONS}

    def run(self) -> None:
        """Until it is stopped."""
        with httpx.Client(timeout=60) as client:
            for name, (path, parameters) in cycle(_QUESTIONS.items()):
                if self.stop.wait(0.25):
                    return
                began = time.monotonic()
                try:
                    answer = client.get(self._served.http + path, params=parameters)
                except httpx.HTTPError:
                    continue
                self._took[name].append(time.monotonic() - began)
                # 503 is what a server says that is about to end.
                if not answer.is_success and answer.status_code != 503:
                    self.failed += 1
                    self.reasons.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    def slowed(self) -> float:
        """By which factor the slowest twentieth of the second half took longer than that of the first, at the worst.

        What is under a fifth of a second is quick, however it got there.
        """
        found = [1.0]
        for took in self._took.values():
            half = len(took) // 2
            if half:
                first, second = (sorted(part)[int(0.95 * len(part))] for part in (took[:half], took[half:]))
                found.append(second / max(first, _QUICK_SECONDS))
        return max(found)

    def told(self) -> dict[str, object]:
        """Milliseconds, the median and the slowest twentieth, in each half of the time."""
        found: dict[str, object] = {"failed": self.failed, "reasons": self.reasons[:5]}
        for name, took in self._took.items():
            halves = took[: len(took) // 2], took[len(took) // 2 :]
            found[name] = {
                "asked": len(took),
                "median_ms": [round(1000 * statistics.median(half), 1) for half in halves if half],
                "p95_ms": [round(1000 * sorted(half)[int(0.95 * len(half))], 1) for half in halves if half],
            }
        return found
