"""Looks at forges again and again, on a thread of its own, and puts what happened into the inbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy import Engine, exc

from pilothouse.delivery.forges import ForgeError, ReadingForge, UnavailableError
from pilothouse.delivery.inbox import Inbox
from pilothouse.delivery.polling.comparing import author_opened, events
from pilothouse.delivery.polling.looking import look
from pilothouse.delivery.polling.seen import SeenStore

log = structlog.get_logger(__name__)


class Poller:
    """Polls some forges, each as often as it is to be. `start` and `close` from any thread."""

    def __init__(self, forges: Mapping[str, tuple[ReadingForge, float]], inbox: Inbox, database: Engine,
                 clock: Callable[[], float] = time.time) -> None:  # fmt: skip
        """`forges` by name, with the seconds between two looks."""
        self._forges, self._inbox, self._clock = forges, inbox, clock
        self._seen = SeenStore(database)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(name,), name=f"poll-{name}", daemon=True) for name in forges
        ]

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=30)

    def look(self, name: str) -> int:
        """One look at all repositories of a forge: how many new events. Raises the errors of `forges.errors`."""
        forge, _ = self._forges[name]
        return sum(self._look_at(forge, repository.full_name) for repository in forge.repositories())

    def _look_at(self, forge: ReadingForge, repository: str) -> int:
        before = self._seen.last(forge.name, repository)
        found = look(forge, repository, before, self._clock())
        new = 0
        # The first look says how things are; nothing has happened before it.
        for event in events(forge.name, repository, before, found) if before is not None else ():
            new += self._inbox.put_now(author_opened(event))
        # Kept last: a process that is killed before sees the same again, and the inbox knows it.
        self._seen.keep(forge.name, repository, found.seen, self._clock())
        return new

    def _run(self, name: str) -> None:
        every = self._forges[name][1]
        while not self._ended.is_set():
            wait = every
            try:
                self.look(name)
            except UnavailableError as error:
                wait = max(every, error.retry_after)
                log.warning("a forge cannot be asked", forge=name, reason=str(error), again_in_seconds=round(wait))
            except (ForgeError, ValueError, exc.SQLAlchemyError) as error:
                log.error("a forge cannot be asked", forge=name, reason=str(error))
            self._ended.wait(wait)
