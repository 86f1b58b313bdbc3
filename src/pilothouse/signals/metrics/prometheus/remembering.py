"""Samples that were asked for lately stay in memory: dashboards and rules ask for the same series again and again.

A selector's samples are read once; what was stored since is told apart by its time (`Engine.oldest_since`): from there
on they are read anew. So an answer is what the tables hold, to the last sample. A selector of very many samples is only
kept when it is asked for a second time.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary, WeakSet, proxy

from pilothouse.engine import memory_share
from pilothouse.signals.metrics.prometheus.held import Held, Read
from pilothouse.signals.metrics.promql import windowing
from pilothouse.signals.metrics.promql.matrix import Ints

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# Part of this process' memory, and the most of it.
_SHARE = 12
_MOST_BYTES = 2_000_000_000
_SAMPLE_BYTES = 12
_USUAL_INTERVAL = 15_000
# So many samples are read into memory at once, if they are no more than so large a part of what it may hold; others
# only when they are asked for again within so many seconds. To have the engine work them out once takes as much CPU.
_AT_ONCE, _PART_AT_ONCE = 8_000_000, 8
_AGAIN = 900.0
# All is read anew so often, in seconds: samples that retention took are gone then.
_RENEWED = 3600.0
# What ends so close to now, in milliseconds, is read to its very end, whatever was asked for.
_RECENT = 600_000
# The last time that can be told, in milliseconds.
_FOREVER = 9_000_000_000_000
_MOST_NOTED = 10_000

Reading = Callable[[list[int], int, int], Iterator[Read]]
"""Reads the samples of series from one time to another, some series after others."""


@dataclass(slots=True)
class _Kept:
    """What is held of a selector; `asked` is when it was last asked for without being kept."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    held: Held | None = None
    writes: int = 0
    filled: float = 0.0
    asked: float = 0.0
    used: float = 0.0
    size: int = 0


class SampleMemory:
    """The samples of one store's selectors, within a bound that all stores of the process share. From any thread."""

    _all: ClassVar[WeakSet[SampleMemory]] = WeakSet()
    _bound: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, engine: Engine) -> None:
        self._engine = proxy(engine)
        self._selectors: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._limit = memory_share(_SHARE, _MOST_BYTES)
        with self._bound:
            self._all.add(self)

    @contextmanager
    def held(
        self, key: Hashable, numbers: list[int], start: int, end: int, read: Reading
    ) -> Iterator[tuple[Held, Ints] | None]:
        """The samples of these series from `start` to `end` (milliseconds) and their rows; None when not kept.

        `key` stands for the selector. Nothing of it changes while this is open.
        """
        writes = self._engine.writes("samples") if windowing.is_there() else None
        expected = len(numbers) * max(end - start, 1) // _USUAL_INTERVAL
        if writes is None or not numbers or expected * _SAMPLE_BYTES > self._limit // 2:
            yield None
            return
        kept = self._kept(key)
        with kept.lock:
            if not self._is_worth_it(kept, expected, start):
                yield None
                return
            try:
                held = self._brought_up(kept, numbers, start, end, read, writes)
            except OverflowError:
                held = None
            except BaseException:
                kept.held, kept.size = None, 0
                raise
            yield None if held is None else (held, held.places_of(numbers))

    def _kept(self, key: Hashable) -> _Kept:
        with self._bound:
            kept = self._selectors.setdefault(key, _Kept())
            kept.used = time.monotonic()
            self._selectors.move_to_end(key)
            if len(self._selectors) > _MOST_NOTED:
                self._selectors.popitem(last=False)
            return kept

    def _is_worth_it(self, kept: _Kept, expected: int, start: int) -> bool:
        at_once = min(_AT_ONCE, self._limit // (_PART_AT_ONCE * _SAMPLE_BYTES))
        if expected <= at_once or (kept.held is not None and kept.held.low <= start):
            return True
        before, kept.asked = kept.asked, time.monotonic()
        return bool(before) and kept.asked - before < _AGAIN

    def _brought_up(
        self, kept: _Kept, numbers: list[int], start: int, end: int, read: Reading, writes: int
    ) -> Held | None:
        held = kept.held
        high = _FOREVER if end > time.time() * 1000 - _RECENT else end
        since = None if held is None else self._engine.oldest_since("samples", kept.writes)
        if held is None or since is None or self._is_past(kept, held, start, end):
            held = kept.held = Held(numbers, start, high, read(numbers, start, high))
            kept.filled = time.monotonic()
        else:
            if since <= held.high or end > held.high:
                since = min(since, held.high + 1)
                held.cut(since)
                held.append(read(held.numbers, since, high))
                held.high = max(high, since)
            if missing := held.missing(numbers):
                held.add_series(missing)
                held.append(read(missing, held.low, held.high))
        kept.writes = writes
        self._account(kept, held.size)
        return held

    def _is_past(self, kept: _Kept, held: Held, start: int, end: int) -> bool:
        """Whether it is better to read all anew: for what is older, or where most that is here is too old."""
        if start < held.low or time.monotonic() - kept.filled > _RENEWED:
            return True
        return end > held.high and start > held.high

    def _account(self, kept: _Kept, size: int) -> None:
        """Let others go, those first that nobody asked for longest, until all is within the bound."""
        if size == kept.size:
            return
        with self._bound:
            kept.size = size
            others = [one for memory in self._all for one in memory._selectors.values() if one.size]
            total = sum(one.size for one in others)
            for other in sorted(others, key=lambda one: one.used) if total > self._limit else ():
                if total <= self._limit:
                    return
                if other is not kept and other.lock.acquire(blocking=False):
                    total -= other.size
                    other.held, other.size = None, 0
                    other.lock.release()


_MEMORIES: WeakKeyDictionary[Engine, SampleMemory] = WeakKeyDictionary()


def memory_of(engine: Engine) -> SampleMemory:
    """The one memory of an engine."""
    return _MEMORIES.get(engine) or _MEMORIES.setdefault(engine, SampleMemory(engine))
