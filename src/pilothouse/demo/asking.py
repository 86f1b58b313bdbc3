"""Asks the servers of the demo, patiently: on a busy machine a connection is reset, or an answer comes late."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import httpx

PATIENCE_SECONDS = 90.0
"""How long one question is asked again, and how long the answer to what is not asked again may take."""
PAUSE_SECONDS = 0.5
_ANSWER_SECONDS = 30.0
# Too much at once, or about to end: nothing was done.
_NOT_NOW = (429, 503)


def ask(
    method: str, url: str, *, again: bool = False, check: Callable[[], None] = lambda: None, **more: Any
) -> httpx.Response:
    """An answer, whatever it says, or httpx.TransportError once `PATIENCE_SECONDS` are over.

    What was certainly not done is asked again, and so is what only reads, or what may be done `again`. `check` is
    called before another try and raises where there is no sense in one.
    """
    deadline, again = time.monotonic() + PATIENCE_SECONDS, again or method == "GET"
    while True:
        try:
            answer = _client(again).request(method, url, **more)
        except httpx.TransportError as error:
            done = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            if (done and not again) or time.monotonic() > deadline:
                raise
        else:
            if answer.status_code not in _NOT_NOW or time.monotonic() > deadline:
                return answer
        check()
        time.sleep(PAUSE_SECONDS)


@functools.cache
def _client(again: bool) -> httpx.Client:
    """One for many questions: each client reads the system's certificates (20 ms of CPU).

    A connection that was idle may end as it is used: what must not be said twice takes a fresh one.
    """
    limits = httpx.Limits(max_keepalive_connections=20 if again else 0)
    return httpx.Client(timeout=_ANSWER_SECONDS if again else PATIENCE_SECONDS, limits=limits, trust_env=False)
