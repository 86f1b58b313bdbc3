"""Letting go of decompressed text that nobody will ask for again.

ClickHouse's cache of decompressed blocks is emptied by what comes in alone. A merge makes new blocks of what is in it
already, and the blocks of the parts that are gone stay until there is no room: a store of 0.3 GB of text filled 3 GB in
an hour of questions about its newest lines. So the cache is emptied when more is in it than there is to ask for, with
all columns counted, of which questions read a part: that is rare enough that to decompress this part once more is
little beside what is gained. And it is emptied when nobody has asked for some time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from pilothouse.engine.errors import EngineError

log = structlog.get_logger(__name__)

# What is asked for with `Budget.cached`.
_TABLES = "'logs', 'samples', 'distributions'"
_LOOK = f"""
    SELECT (SELECT value FROM system.metrics WHERE metric = 'UncompressedCacheBytes') AS held,
           (SELECT sum(data_uncompressed_bytes) FROM system.parts
            WHERE active AND database = currentDatabase() AND table IN ({_TABLES})) AS alive
    FORMAT TSV"""
_LOOK_SECONDS, _IDLE_SECONDS = 30.0, 900.0
_ROOM_BYTES = 64_000_000


class Clearing:
    """Looks at the cache while somebody asks, in a thread that is there only then.

    `run` executes a statement beside all queries and returns its answer as text.
    """

    def __init__(
        self, run: Callable[[str], str], look_seconds: float = _LOOK_SECONDS, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self._run, self._look_seconds, self._idle_seconds = run, look_seconds, idle_seconds
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._asked = 0.0

    def asked(self) -> None:
        """Somebody reads through the cache."""
        self._asked = time.monotonic()
        if self._thread is None:
            with self._lock:
                if self._thread is None and not self._closed.is_set():
                    self._thread = threading.Thread(target=self._watch, name="clearing", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        """Look no more."""
        with self._lock:
            self._closed.set()
            thread = self._thread
        if thread:
            thread.join()

    def look(self, idle: bool) -> None:
        """Empty the cache if more is in it than there is to ask for, or anything while it is `idle`."""
        held, alive = (int(word) for word in self._run(_LOOK).split())
        if held and (idle or held > alive + _ROOM_BYTES):
            self._run("SYSTEM CLEAR UNCOMPRESSED CACHE")
            log.debug("let decompressed text go", bytes=held, idle=idle)

    def _watch(self) -> None:
        while not self._closed.wait(self._look_seconds):
            with self._lock:
                idle = time.monotonic() - self._asked > self._idle_seconds
                if idle:
                    self._thread = None
            try:
                self.look(idle)
            except EngineError as error:
                log.warning("the cache of decompressed text was not looked at", reason=str(error))
            if idle:
                return
