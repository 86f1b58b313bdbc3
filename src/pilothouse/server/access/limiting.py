"""How much a caller, and a tenant in all, may ask and send: a token bucket each for requests and for bytes.

Bytes are paid when they have arrived, since nobody knows before how many will: a bucket may so go below zero, and the
next request waits until it is above again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

# What may come at once after a pause, in seconds of the rate.
_BURST_SECONDS = 10.0
_MOST_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests and bytes a second; zero is no limit."""

    requests: float = 0.0
    bytes: float = 0.0


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


Limits = tuple[tuple[str, Rates], ...]
"""What one request has to hold to: by the name of who is limited."""


class Limiter:
    """The buckets of all who are limited, by their names. May be used from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def wait(self, limits: Limits) -> float:
        """Zero when a request may go on, which it then has paid for; else the seconds until one may."""
        waits, asked = [0.0], list[_Bucket]()
        with self._lock:
            for key, rates in limits:
                if rates.bytes:
                    bucket = self._filled((key, "bytes"), rates.bytes)
                    waits.append(-bucket.level / rates.bytes if bucket.level <= 0 else 0.0)
                if rates.requests:
                    bucket = self._filled((key, "requests"), rates.requests)
                    waits.append((1 - bucket.level) / rates.requests if bucket.level < 1 else 0.0)
                    asked.append(bucket)
            if not any(waits):
                for bucket in asked:
                    bucket.level -= 1
        return max(waits)

    def pay(self, limits: Limits, size: int) -> None:
        """Take the bytes that arrived."""
        with self._lock:
            for key, rates in limits:
                if rates.bytes:
                    self._filled((key, "bytes"), rates.bytes).level -= size

    def _filled(self, key: tuple[str, str], rate: float) -> _Bucket:
        now, most = self._clock(), max(rate * _BURST_SECONDS, 1.0)
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets[key] = _Bucket(most, now)
        bucket.level = min(most, bucket.level + (now - bucket.at) * rate)
        bucket.at = now
        return bucket
