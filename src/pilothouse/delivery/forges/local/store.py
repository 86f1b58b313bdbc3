"""The database of the built-in forge, and what happened told to whoever listens."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, delete, event, insert, select, update

from pilothouse.control.opening import open_database
from pilothouse.delivery.forges.encoding import event_from_json, event_to_json
from pilothouse.delivery.forges.events import Event
from pilothouse.delivery.forges.local.tables import EVENTS

log = structlog.get_logger(__name__)

T = TypeVar("T")
Sink = Callable[[Event], None]
_BATCH = 200
_KEPT = 10_000


class Writing:
    """One transaction: what it changes and what it tells come to be together or not at all."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __call__(self, statement: Any, parameters: Any = None) -> Any:
        """Execute a statement."""
        return self.connection.execute(statement, parameters)

    def tell(self, happened: Event) -> None:
        """Say that something happened; its delivery id and time are given here."""
        happened = replace(happened, delivery=str(uuid.uuid4()), at=happened.at or time.time())
        self(insert(EVENTS).values(delivery=happened.delivery, event=event_to_json(happened), told=False))


class _Look(threading.local):
    """What a thread asks its questions on while it is in `one_look`, and what it was answered there."""

    connection: Connection | None = None
    answers: dict[Hashable, Any] | None = None


class Store:
    """Keeps what the forge knows beyond git. May be used from any thread, and by several processes."""

    def __init__(self, url: str, sink: Sink) -> None:
        """`url` as SQLAlchemy writes it; `sink` hears each event, in order, again when it failed."""
        self._engine = open_database(url)
        self.sink = sink
        self._look = _Look()
        self._telling = threading.Lock()
        self._more = threading.Event()
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _own_transactions)
            event.listen(self._engine, "begin", _begin)
            # The connection that made the tables is not of this kind.
            self._engine.dispose()
        self._writing = self._engine.execution_options(pilothouse_writes=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to ask questions on."""
        if self._look.connection is not None:
            yield self._look.connection
            return
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """All questions of this thread are asked on one connection, and see one state of the database.

        Most of what a question costs is to begin and to end it, and a look at a pull request asks forty. What this
        thread itself writes meanwhile is seen.
        """
        if self._look.connection is not None:
            yield
            return
        with self._engine.connect() as connection:
            self._look.connection, self._look.answers = connection, {}
            try:
                yield
            finally:
                self._look.connection = self._look.answers = None

    def once(self, question: Hashable, answer: Callable[[], T]) -> T:
        """What `answer` says; in one look it is asked once."""
        answers = self._look.answers
        if answers is None:
            return answer()
        if question not in answers:
            answers[question] = answer()
        found: T = answers[question]
        return found

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A transaction; when it is on the disk, what it tells is told."""
        with self._writing.begin() as connection:
            yield Writing(connection)
        if self._look.connection is not None:
            self._look.connection.rollback()
            self._look.answers = {}
        self.tell()

    def tell(self) -> None:
        """Tell what has not been told. Who listens may change the forge meanwhile; that is told in its turn."""
        self._more.set()
        while self._more.is_set():
            if not self._telling.acquire(blocking=False):
                # Whoever tells looks again before it ends.
                return
            try:
                self._more.clear()
                while self._tell_some():
                    pass
            finally:
                self._telling.release()

    def _tell_some(self) -> bool:
        untold = select(EVENTS.c.id, EVENTS.c.event).where(EVENTS.c.told.is_(False)).order_by(EVENTS.c.id)
        # Not on the connection of this thread's look: that goes on seeing as untold what was told a moment ago.
        with self._engine.connect() as connection:
            rows = connection.execute(untold.limit(_BATCH)).all()
        told = []
        for row in rows:
            try:
                self.sink(event_from_json(row.event))
            except Exception as error:
                # It stays and is told again; an inbox that is full or gone must not undo a push.
                log.error("an event of the forge was not taken", happened=row.event[:300], reason=str(error))
                break
            told.append(row.id)
        if told:
            with self._writing.begin() as connection:
                connection.execute(update(EVENTS).where(EVENTS.c.id.in_(told)).values(told=True))
                connection.execute(delete(EVENTS).where(EVENTS.c.told, EVENTS.c.id < told[-1] - _KEPT))
        return bool(rows) and len(told) == len(rows)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _own_transactions(connection: Any, record: Any) -> None:
    """SQLite: transactions begin where we say so, see `_begin`."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("pilothouse_writes")
    # A reader that turns writer can fail at once where a writer from the start waits.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
