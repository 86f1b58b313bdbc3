"""From the journal into the tables: which segments, when, and what happens when the engine cannot.

A kind's open segment is sealed when it is `interval` old or `segment_bytes` large, and stored by the kind's
statements, each once for the segment's name. Storing runs in one thread for all kinds: while it works, requests gather
in the open segments, so that a busy server stores large segments and an idle one does nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.engine import BudgetExceededError, EngineError, EngineUnavailableError, SegmentStatement
from pilothouse.signals.journal import Journal, Segment, digest

if TYPE_CHECKING:
    from pilothouse.engine import Engine

log = structlog.get_logger(__name__)

_RETRY_SECONDS = (0.5, 1, 2, 5, 10, 30)
_RESENT_FOR = 600.0


@dataclass(frozen=True, slots=True)
class Storing:
    """A kind's way into the tables: each statement with the mark that asks for it (empty: always).

    The door marks a request when it holds something that the statement would find, so that statements without
    work are left out. A recovered segment has lost its marks and gets all statements.
    """

    statements: tuple[tuple[str, SegmentStatement], ...]


@dataclass(frozen=True, slots=True)
class FlushLimits:
    """When a segment is sealed, and how many bytes may wait for the engine, per kind."""

    interval: float = 0.4
    segment_bytes: int = 64_000_000
    waiting_bytes: int = 2_000_000_000


class Intake:
    """The journals of all kinds and the thread that stores them."""

    def __init__(
        self,
        engine: Engine,
        directory: Path,
        kinds: Mapping[str, Storing],
        limits: FlushLimits = FlushLimits(),
    ) -> None:
        self._engine = engine
        self._kinds = kinds
        self._limits = limits
        self._directory = directory
        self._journals = {kind: Journal(directory, kind, limits.waiting_bytes) for kind in kinds}
        self._resent: dict[bytes, float] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._failing = False
        self.on_stored: Callable[[str, int, float], None] = lambda kind, size, seconds: None
        for journal in self._journals.values():
            journal.on_write = self._wake.set
        self._storer = threading.Thread(target=self._store_forever, name="storing", daemon=True)

    def start(self) -> int:
        """Store what an earlier process left, then begin. Returns how many requests were recovered."""
        recovered = 0
        for kind, journal in self._journals.items():
            for segment, digests in journal.recover():
                recovered += len(digests)
                # Whether these were acknowledged is unknown: their clients may send them again.
                self._resent.update(dict.fromkeys(digests, time.monotonic() + _RESENT_FOR))
                self._store(kind, segment)
        self._storer.start()
        return recovered

    def accept(self, kind: str, payload: bytes, marks: frozenset[str] = frozenset()) -> Future[None]:
        """Journal one request; the future is done when it may be acknowledged.

        Raises `OverloadedError` when too much waits for the engine.
        """
        if self._resent and self._is_resent(payload):
            known: Future[None] = Future()
            known.set_result(None)
            return known
        return self._journals[kind].append(payload, marks)

    @property
    def failing(self) -> bool:
        """Whether the engine refuses to store at the moment."""
        return self._failing

    @property
    def kept_bytes(self) -> dict[str, int]:
        """Bytes journaled and not stored yet, per kind."""
        return {kind: journal.kept_bytes for kind, journal in self._journals.items()}

    def close(self) -> None:
        """Store everything and stop. What cannot be stored stays in the journal for the next start."""
        for journal in self._journals.values():
            journal.close()
        self._stop.set()
        self._wake.set()
        if self._storer.is_alive():
            self._storer.join()

    def _is_resent(self, payload: bytes) -> bool:
        now = time.monotonic()
        if self._resent and max(self._resent.values()) < now:
            self._resent.clear()
        return self._resent.pop(digest(payload), 0.0) > now

    def _store_forever(self) -> None:
        while True:
            self._wake.wait(self._next_due())
            stopping = self._stop.is_set()
            self._wake.clear()
            for kind, journal in self._journals.items():
                if (stopping or self._due(journal) <= 0) and (segment := journal.seal()):
                    self._store(kind, segment)
            if stopping:
                return

    def _due(self, journal: Journal) -> float:
        """Seconds until the open segment is to be stored; infinity when there is none."""
        opened, size = journal.open_since()
        if not size:
            return float("inf")
        if size >= self._limits.segment_bytes:
            return 0.0
        return opened + self._limits.interval - time.monotonic()

    def _next_due(self) -> float | None:
        due = min(map(self._due, self._journals.values()))
        return None if due == float("inf") else max(due, 0.001)

    def _store(self, kind: str, segment: Segment) -> None:
        started = time.monotonic()
        for place, (mark, statement) in enumerate(self._kinds[kind].statements):
            wanted = not mark or segment.recovered or mark in segment.marks
            if wanted and not self._run(statement, segment, f"{segment.token}-{place}-{statement.table}"):
                return
        self.on_stored(kind, segment.size, time.monotonic() - started)
        self._journals[kind].remove(segment)

    def _run(self, statement: SegmentStatement, segment: Segment, token: str) -> bool:
        """Store one statement of a segment; False when the segment was put aside or left for the next start."""
        attempt = 0
        while True:
            try:
                self._engine.store_segment(statement, segment.path, token)
                self._failing = False
                return True
            except (EngineUnavailableError, BudgetExceededError) as error:
                self._failing = True
                if self._stop.is_set():
                    log.error("not stored, kept in the journal", segment=segment.path.name, reason=str(error))
                    return False
                log.warning("cannot store now, trying again", segment=segment.path.name, reason=str(error))
                self._stop.wait(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1
            except EngineError as error:
                self._put_aside(segment, statement, error)
                return False

    def _put_aside(self, segment: Segment, statement: SegmentStatement, error: EngineError) -> None:
        """A segment that the engine will never take is kept for a person to look at, never dropped."""
        aside = self._directory / "aside"
        aside.mkdir(exist_ok=True)
        segment.path.rename(aside / segment.path.name)
        log.error(
            "the engine refused a segment; it was put aside",
            segment=str(aside / segment.path.name), table=statement.table, reason=str(error),
        )  # fmt: skip
