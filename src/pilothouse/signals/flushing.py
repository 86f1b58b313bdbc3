"""From the journal into the tables: which segments, when, and what happens when the engine cannot.

A kind's open segment is sealed when it is `interval` old (a little older when much arrives) or `segment_bytes` large,
and stored by the kind's statements, each once for the segment's name. Storing runs in one thread for all kinds: while
it works, requests gather, so that a busy server stores large segments and an idle one does nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.engine import BudgetExceededError, EngineError, EngineUnavailableError, SegmentStatement
from pilothouse.signals.errors import OverloadedError
from pilothouse.signals.journal import SUFFIX, Journal, Segment, digest, framed, frames
from pilothouse.signals.resending import Taken

if TYPE_CHECKING:
    from pilothouse.engine import Engine

log = structlog.get_logger(__name__)

_RETRY_SECONDS = (0.5, 1, 2, 5, 10, 30)
_RESENT_FOR = 600.0
# A request may be stored before its answer has left. Should the process end between the two, its client sends it again:
# it is known by the segment, which is therefore kept so long. Storing it anew stores nothing.
_REMOVED_AFTER = 2.0
# A file that nothing more was written over for so long is not needed.
_SPARE_FOR = 30.0


@dataclass(frozen=True, slots=True)
class Storing:
    """A kind's way into the tables: each statement with the mark that asks for it (empty: always).

    The door marks a request when it holds something that the statement would find, so that statements without
    work are left out. A recovered segment has lost its marks and gets all statements. `repair` mends a request that
    the engine refused, as far as that can be done. With `once`, a request that comes again within ten minutes, byte
    for byte, is acknowledged and not kept again: its client did not hear the first answer.
    """

    statements: tuple[tuple[str, SegmentStatement], ...]
    repair: Callable[[bytes], bytes] = bytes
    once: bool = False


@dataclass(frozen=True, slots=True)
class FlushLimits:
    """When a segment is sealed, and how many bytes may wait for the engine, per kind.

    A segment of up to `small_bytes` waits `interval` to twice that, in seconds; none waits more than `longest`. One
    with more than `few_bytes` waits `patience` times as long as the kind's last one took to store: what a statement
    costs however few rows it finds is then a small part of what the server does.
    """

    interval: float = 0.4
    longest: float = 2.0
    few_bytes: int = 200_000
    small_bytes: int = 2_000_000
    patience: float = 4.0
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
        self._journals = {kind: Journal(directory, kind, limits.waiting_bytes, limits.segment_bytes) for kind in kinds}
        self._recovered: set[bytes] = set()
        self.taken = {kind: Taken() for kind, storing in kinds.items() if storing.once}
        self._resent_until = 0.0
        self._stored: deque[tuple[float, str, Segment]] = deque()
        self._took: dict[str, float] = {}
        self._turn = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._failing = False
        self.on_stored: Callable[[str, int, float], None] = lambda kind, size, seconds: None
        for journal in self._journals.values():
            journal.on_segment = self._wake.set
        self._storer = threading.Thread(target=self._store_forever, name="storing", daemon=True)

    def start(self) -> int:
        """Store what an earlier process left, then begin. Returns how many requests were recovered."""
        recovered = 0
        for kind, journal in self._journals.items():
            for segment, digests in journal.recover():
                recovered += len(digests)
                # Whether these were acknowledged is unknown: their clients may send them again.
                self._recovered.update(digests)
                self._store(kind, segment)
        self._resent_until = time.monotonic() + _RESENT_FOR
        self._storer.start()
        return recovered

    def accept(
        self, kind: str, payload: bytes, marks: frozenset[str] = frozenset(), ahead: bytes = b""
    ) -> Future[None]:
        """Journal one request, with what goes `ahead` of it; the future is done when it may be acknowledged.

        Raises `OverloadedError` when too much waits for the engine.
        """
        if self._recovered and self._is_resent(payload):
            if ahead:
                return self._journals[kind].append(ahead, marks)
            known: Future[None] = Future()
            known.set_result(None)
            return known
        taken = self.taken.get(kind)
        if not taken:
            return self._journals[kind].append(payload, marks, ahead)
        sought = digest(payload)
        if not ahead and (before := taken.find(sought)):
            return before
        written = self._journals[kind].append(payload, marks, ahead, sought)
        taken.note(sought, written)
        return written

    @property
    def failing(self) -> bool:
        """Whether the engine refuses to store at the moment."""
        return self._failing

    @property
    def kept_bytes(self) -> dict[str, int]:
        """Bytes journaled and not stored yet, per kind."""
        return {kind: journal.kept_bytes for kind, journal in self._journals.items()}

    @contextmanager
    def held(self, patience: float = 60.0) -> Iterator[list[Path]]:
        """Nothing is stored while this is open; the files of what waits, the open segments among them.

        Requests are acknowledged all the while, so that an open segment may grow. Raises `OverloadedError` when a
        segment takes longer than `patience` seconds to be stored, at once when the store refuses.
        """
        if not self._turn.acquire(timeout=0.5 if self.failing else patience):
            raise OverloadedError("the store does not take what waits for it; see the log", retry_after=30)
        try:
            # What is stored stays for a moment, for those that send again: it must not be taken for waiting.
            self._remove_stored(0.0)
            yield sorted(self._directory.glob(f"*{SUFFIX}"))
        finally:
            self._turn.release()

    def close(self) -> None:
        """Store everything and stop. What cannot be stored stays in the journal for the next start."""
        for journal in self._journals.values():
            journal.close()
        self._stop.set()
        self._wake.set()
        if self._storer.is_alive():
            self._storer.join()

    def _is_resent(self, payload: bytes) -> bool:
        if time.monotonic() > self._resent_until:
            self._recovered.clear()
        known = digest(payload)
        if known not in self._recovered:
            return False
        self._recovered.discard(known)
        return True

    def _store_forever(self) -> None:
        while True:
            self._wake.wait(self._next_due())
            stopping = self._stop.is_set()
            self._wake.clear()
            for kind, journal in self._journals.items():
                # One segment of each kind in turn, and all of them at the end.
                while (stopping or self._due(kind, journal) <= 0) and (segment := journal.seal()):
                    with self._turn:
                        self._store_or_leave(kind, segment)
                    if not stopping:
                        break
            with self._turn:
                self._remove_stored(0.0 if stopping else _REMOVED_AFTER)
            for journal in self._journals.values():
                journal.drop_spares(0.0 if stopping else _SPARE_FOR)
            if stopping:
                return

    def _due(self, kind: str, journal: Journal) -> float:
        """Seconds until the next segment is to be stored; infinity when there is none.

        The more arrives, the longer it may gather: a large segment costs half as much a record as a small one.
        """
        opened, size = journal.oldest()
        if not size:
            return float("inf")
        if size >= self._limits.segment_bytes:
            return 0.0
        limits = self._limits
        wait = limits.interval * (1 + size / limits.small_bytes)
        if size > limits.few_bytes:
            wait = max(wait, limits.patience * self._took.get(kind, 0.0))
        wait = min(wait, limits.longest)
        return opened + max(wait, limits.interval) - time.monotonic()

    def _next_due(self) -> float | None:
        due = min(self._due(kind, journal) for kind, journal in self._journals.items())
        if self._stored:
            due = min(due, self._stored[0][0] + _REMOVED_AFTER - time.monotonic())
        for journal in self._journals.values():
            if spare := journal.oldest_spare():
                due = min(due, spare + _SPARE_FOR - time.monotonic())
        return None if due == float("inf") else max(due, 0.001)

    def _store_or_leave(self, kind: str, segment: Segment) -> None:
        """A disk that is full in the wrong moment must not end the thread that everything waits for."""
        for seconds in chain(_RETRY_SECONDS, repeat(_RETRY_SECONDS[-1])):
            try:
                self._store(kind, segment)
                return
            except OSError as error:
                self._failing = True
                log.error("cannot store now, trying again", segment=segment.path.name, reason=str(error))
            if self._stop.wait(seconds):
                return

    def _store(self, kind: str, segment: Segment) -> None:
        started = time.monotonic()
        self._journals[kind].trim(segment)
        for place, (mark, statement) in enumerate(self._kinds[kind].statements):
            if mark and not segment.recovered and mark not in segment.marks:
                continue
            token = f"{segment.token}-{place}-{statement.table}"
            try:
                if not self._run(statement, segment.path, token, segment.recovered):
                    return
            except EngineError as error:
                log.warning("a segment was refused, storing its requests singly", token=token, reason=str(error))
                if not self._store_singly(self._kinds[kind], statement, segment, token):
                    return
        self._took[kind] = time.monotonic() - started
        self.on_stored(kind, segment.size, self._took[kind])
        self._journals[kind].release(segment)
        self._stored.append((time.monotonic(), kind, segment))

    def _remove_stored(self, after: float) -> None:
        while self._stored and self._stored[0][0] + after <= time.monotonic():
            _, kind, segment = self._stored.popleft()
            self._journals[kind].remove(segment)

    def _run(self, statement: SegmentStatement, path: Path, token: str, again: bool = False) -> bool:
        """Store one statement of a segment; False when the process ends before the engine is able to.

        `again` says that it may have been stored in part.
        """
        attempt = 0
        while True:
            try:
                if statement.forget and (again or attempt):
                    self._engine.command(statement.forget)
                self._engine.store_segment(statement, path, token)
                self._failing = False
                return True
            except (EngineUnavailableError, BudgetExceededError) as error:
                self._failing = True
                if self._stop.is_set():
                    log.error("not stored, kept in the journal", segment=path.name, reason=str(error))
                    return False
                log.warning("cannot store now, trying again", segment=path.name, reason=str(error))
                self._stop.wait(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1

    def _store_singly(self, storing: Storing, statement: SegmentStatement, segment: Segment, token: str) -> bool:
        """One refused request must not take its neighbours with it."""
        for number, payload in enumerate(frames(segment.path)):
            single = segment.path.with_name(f"{segment.token}-{number}.single")
            try:
                single.write_bytes(storing.repair(payload))
                if not self._run(statement, single, f"{token}-{number}", again=True):
                    return False
            except EngineError as error:
                self._put_aside(segment, payload, statement, error)
            finally:
                single.unlink(missing_ok=True)
        return True

    def _put_aside(self, segment: Segment, payload: bytes, statement: SegmentStatement, error: EngineError) -> None:
        """A request that the engine will never take is kept for a person to look at, never dropped."""
        aside = self._directory / "aside"
        aside.mkdir(exist_ok=True)
        with (aside / f"{segment.token}-{statement.table}.segment").open("ab") as file:
            file.write(framed(payload))
        log.error("the engine refused a request; it was put aside", file=file.name, reason=str(error))
