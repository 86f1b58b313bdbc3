"""Requests that come again: a client that did not hear the answer sends the same bytes once more."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future

_SECONDS = 600.0
_MOST = 100_000


class Taken:
    """The requests of the last ten minutes, at most 100,000, by their digests (`journal.digest`).

    May be used from any thread.
    """

    def __init__(self, seconds: float = _SECONDS, most: int = _MOST) -> None:
        self._seconds, self._most = seconds, most
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[float, Future[None]]] = OrderedDict()

    def find(self, sought: bytes) -> Future[None] | None:
        """The future of the same request that came before; None when there was none, or it was not written."""
        with self._lock:
            known = self._known.get(sought)
        if known is None or time.monotonic() - known[0] > self._seconds:
            return None
        written = known[1]
        failed = written.done() and (written.cancelled() or written.exception() is not None)
        return None if failed else written

    def note(self, known: bytes, written: Future[None]) -> None:
        """Remember a request that was taken."""
        now = time.monotonic()
        with self._lock:
            self._known[known] = (now, written)
            self._known.move_to_end(known)
            while self._known and (len(self._known) > self._most or self._first() < now - self._seconds):
                self._known.popitem(last=False)

    def forget(self) -> None:
        """Take every request for a new one."""
        with self._lock:
            self._known.clear()

    def _first(self) -> float:
        return next(iter(self._known.values()))[0]
