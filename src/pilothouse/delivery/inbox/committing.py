"""Small pieces of work on the database as few transactions: what comes while one commit waits goes into the next."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")
_MOST = 200


class Commits:
    """Does pieces of work in the order in which they come, on a thread of its own, many to a transaction."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._queue: queue.SimpleQueue[tuple[Callable[[Connection], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="delivery-inbox", daemon=True)
        self._thread.start()

    def give(self, work: Callable[[Connection], T]) -> Future[T]:
        """Do it soon; the future has its result once that is on the disk. A piece may be done again alone."""
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future

    async def committed(self, work: Callable[[Connection], T]) -> T:
        """Do it, and wait until it is on the disk. Raises what it raises."""
        return await asyncio.wrap_future(self.give(work))

    def close(self) -> None:
        """Do what is left and end."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < _MOST and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            self._together(batch)

    def _together(self, given: list[tuple[Callable[[Connection], Any], Future[Any]]]) -> None:
        """All in one transaction; when one of them fails, each in its own, so that it fails alone."""
        batch = [one for one in given if one[1].running() or one[1].set_running_or_notify_cancel()]
        try:
            results = self._transaction([work for work, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for one in batch:
                self._together([one])
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _transaction(self, works: list[Callable[[Connection], Any]]) -> list[Any]:
        with self._database.begin() as connection:
            if connection.dialect.name == "sqlite":
                # A transaction that first reads and then writes would fail at once when another process wrote between.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            return [work(connection) for work in works]
