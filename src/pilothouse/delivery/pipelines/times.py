"""Times as Kubernetes writes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> int:
    """Nanoseconds since the epoch."""
    return time.time_ns()


def written(at: int) -> str:
    """RFC 3339 in UTC to the second, as `metav1.Time` has it."""
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
