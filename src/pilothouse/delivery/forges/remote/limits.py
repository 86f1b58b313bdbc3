"""What a forge says about how much it may be asked, and when again.

GitHub: `x-ratelimit-remaining`, `x-ratelimit-reset` (seconds since the epoch), `retry-after` (seconds); its secondary
limits come as 403 or 429 with a message
(https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). GitLab: `RateLimit-Remaining`,
`RateLimit-Reset`, `Retry-After` and 429 (https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

_LONGEST_SECONDS = 3600.0
# What GitHub advises where it does not say how long.
_UNTOLD_SECONDS = 60.0


def seconds_to_wait(status: int, headers: Mapping[str, str], words: str, now: float) -> float | None:
    """How long an answer asks to wait; None when it is not about a limit."""
    limited = status == 429 or (
        status == 403 and (_remaining(headers) == 0 or "retry-after" in headers or "rate limit" in words.lower())
    )
    if not limited:
        return None
    told = _number(headers.get("retry-after"))
    if told is None and _remaining(headers) == 0:
        reset = _reset(headers)
        told = reset - now if reset else None
    return min(max(_UNTOLD_SECONDS if told is None else told, 1.0), _LONGEST_SECONDS)


class Budget:
    """What is left until when, as the last answer said. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0

    def heard(self, headers: Mapping[str, str]) -> None:
        """Take note of an answer."""
        if _remaining(headers) == 0 and (reset := _reset(headers)):
            with self._lock:
                self._until = max(self._until, reset)

    def wait(self, seconds: float, now: float) -> None:
        """Nothing is to be asked for so long."""
        with self._lock:
            self._until = max(self._until, now + seconds)

    def seconds(self, now: float) -> float:
        """How long nothing may be asked; 0 for at once."""
        with self._lock:
            return min(max(self._until - now, 0.0), _LONGEST_SECONDS)


def _remaining(headers: Mapping[str, str]) -> float | None:
    return _number(headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining")))


def _reset(headers: Mapping[str, str]) -> float | None:
    return _number(headers.get("x-ratelimit-reset", headers.get("ratelimit-reset")))


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
