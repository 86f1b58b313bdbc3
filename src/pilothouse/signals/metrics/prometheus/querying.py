"""Running queries for the API: in a thread, a few at a time, stopped when the client goes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from pilothouse.engine import Budget, BudgetExceededError, CancelledError, EngineError
from pilothouse.signals.metrics.prometheus.asking import ApiError
from pilothouse.signals.metrics.prometheus.query_log import QueryLog
from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
from pilothouse.signals.metrics.promql.engine import Value, evaluate
from pilothouse.signals.metrics.promql.errors import (
    ExecutionError,
    LimitError,
    ParseError,
    PromqlError,
    StoppedError,
    TimedOutError,
)
from pilothouse.signals.metrics.promql.evaluating import Settings
from pilothouse.signals.metrics.promql.nodes import Node
from pilothouse.signals.metrics.promql.planning import Grid

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine

T = TypeVar("T")
_LOOK_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What queries may take: seconds and samples each, and how many run at a time."""

    seconds: float = 120.0
    samples: int = 50_000_000
    at_once: int = 20
    memory_bytes: int = 4_000_000_000


class Queries:
    """Evaluates queries on the stored metrics."""

    def __init__(
        self,
        engine: Engine,
        limits: QueryLimits = QueryLimits(),
        metrics: StoredMetrics | None = None,
        query_log: QueryLog | None = None,
    ) -> None:
        self.metrics = metrics or StoredMetrics(engine)
        self._log = query_log or QueryLog()
        self._engine, self._limits = engine, limits
        self._running = asyncio.Semaphore(limits.at_once)

    async def evaluate(
        self, request: Request, query: tuple[str, Node], grid: Grid, is_range: bool, lookback: int = 0,
        seconds: float = 0.0, counted: bool = False,
    ) -> Value:  # fmt: skip
        """The value of a query, given as text and tree; raises `ApiError`.

        `counted`: count the samples of all windows for its statistics.
        """
        limits = self._limits
        seconds = min(seconds or limits.seconds, limits.seconds)
        settings = Settings(timeout=seconds, max_samples=limits.samples, counted=counted)
        if lookback:
            settings = replace(settings, lookback=lookback)

        asked = time.perf_counter()

        def work(metrics: StoredMetrics, stopped: threading.Event) -> Value:
            queued = time.perf_counter() - asked
            try:
                value = evaluate(metrics, query[1], grid, settings, stopped.is_set, is_range)
            except (PromqlError, EngineError) as error:
                self._log.add(request, query[0], grid, error=str(error))
                raise
            value.statistics.queued = queued
            self._log.add(request, query[0], grid, value.statistics)
            return value

        return await self.run(request, work, seconds)

    async def run(
        self, request: Request, work: Callable[[StoredMetrics, threading.Event], T], seconds: float = 0.0
    ) -> T:
        """Do `work` in a thread while the client waits; raises `ApiError` for what goes wrong."""
        name, stopped = f"promql-{uuid.uuid4().hex}", threading.Event()
        budget = Budget(seconds or self._limits.seconds, self._limits.memory_bytes, name=name, cached=True)
        async with self._running:
            task = asyncio.create_task(asyncio.to_thread(work, self.metrics.limited(budget), stopped))
            try:
                while not (await asyncio.wait({task}, timeout=_LOOK_EVERY))[0]:
                    if await request.is_disconnected():
                        stopped.set()
                        await asyncio.to_thread(self._engine.cancel, name)
                return task.result()
            except asyncio.CancelledError:
                stopped.set()
                with contextlib.suppress(EngineError):
                    await asyncio.to_thread(self._engine.cancel, name)
                raise
            except Exception as error:
                raise told(error) from error


def told(error: Exception) -> ApiError | Exception:
    """An error of the evaluator or the engine as the API tells it; others as they are."""
    match error:
        case ParseError():
            return ApiError("bad_data", f'invalid parameter "query": {error}')
        case TimedOutError():
            return ApiError("timeout", str(error))
        case StoppedError() | CancelledError():
            return ApiError("canceled", "query was canceled in expression evaluation")
        case ExecutionError() | LimitError():
            return ApiError("execution", str(error))
        case BudgetExceededError():
            return ApiError("timeout", f"query timed out in expression evaluation: {error}")
        case EngineError():
            return ApiError("internal", str(error))
    return error
