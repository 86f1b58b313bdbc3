"""Many small writes as few transactions: what comes while one commit waits for the disk goes into the next."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

from sqlalchemy import Engine, exc

from pilothouse.delivery.pipelines.errors import StateError


class Writer:
    """Writes statements in the order in which they come, on a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[tuple[Any, Any, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="pipeline-state", daemon=True)
        self._thread.start()
        self.error: StateError | None = None

    def put(self, statement: Any, parameters: Any = None) -> None:
        """Write it some time soon."""
        self._queue.put((statement, parameters, None))

    async def written(self, statement: Any, parameters: Any = None) -> None:
        """Write it and wait until it is on the disk. Raises `StateError`."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._queue.put((statement, parameters, (loop, done)))
        await done

    def flush(self) -> None:
        """Wait until all that was put is on the disk. Raises `StateError`."""
        done = threading.Event()
        self._queue.put((None, None, done))
        done.wait()
        if self.error:
            raise self.error

    def close(self) -> None:
        """Write what is left and end."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while not self._queue.empty() and len(batch) < 500:
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            self._write(batch)

    def _write(self, batch: list[Any]) -> None:
        error: StateError | None = None
        try:
            with self._engine.begin() as connection:
                for statement, parameters, _ in batch:
                    if statement is not None:
                        connection.execute(statement, parameters)
        except exc.SQLAlchemyError as problem:
            error = self.error = explained(problem)
        for _, _, waiting in batch:
            if isinstance(waiting, threading.Event):
                waiting.set()
            elif waiting is not None:
                loop, done = waiting
                loop.call_soon_threadsafe(_settle, done, error)


def explained(problem: Exception) -> StateError:
    """A database's error in words."""
    cause = getattr(problem, "orig", None) or problem
    return StateError(f"the state of runs cannot be kept: {cause}")


def _settle(done: asyncio.Future[None], error: StateError | None) -> None:
    if done.done():
        return
    if error:
        done.set_exception(error)
    else:
        done.set_result(None)
