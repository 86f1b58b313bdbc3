"""Waking those who wait for events, on whatever loop and thread they are."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator


class Bell:
    """Rung from any thread, heard on every loop that listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listening: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def ring(self) -> None:
        """Wake all who listen."""
        with self._lock:
            listening = list(self._listening)
        for loop, heard in listening:
            # A loop that was closed meanwhile has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(heard.set)

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set with each ringing from now on."""
        one = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._listening.append(one)
        try:
            yield one[1]
        finally:
            with self._lock:
                self._listening.remove(one)
