"""Lines as they come: asked again and again, so that it also works when another node stored them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.signals.logs.answering import lines
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.searching import LineQuestion
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.logs.pipeline import Entry

# How long after its time a line may still be stored to be shown.
_LATE = 10 * NANOSECONDS
_AHEAD = 60 * NANOSECONDS


@dataclass
class Tail:
    """Follows a log query from `start` (nanoseconds); each `poll` gives what is new, oldest first.

    A client that is slower than the lines loses the oldest of them: `dropped` counts those.
    """

    engine: Engine
    query: tree.LogQuery
    start: int
    limit: int = 1000
    delay: int = 0
    dropped: int = 0
    _seen: dict[tuple[int, str, int], int] = field(default_factory=dict)
    _first: bool = True

    def poll(self, now: Callable[[], int] = time.time_ns) -> list[Entry]:
        """What was stored since the last time."""
        moment = now() - self.delay
        begin = max(self.start, moment - _LATE) if not self._first else self.start
        within = TimeRange(begin, moment + (_AHEAD if not self.delay else 1))
        if within.end <= within.start:
            return []
        found = lines(self.engine, LineQuestion(self.query, within, self.limit)).entries
        new = [entry for entry in reversed(found) if self._is_new(entry, within)]
        if len(found) == self.limit and len(new) == self.limit and not self._first:
            self.dropped += 1
        self._first = False
        self._forget(moment - _LATE - NANOSECONDS)
        return new

    def _is_new(self, entry: Entry, within: TimeRange) -> bool:
        key = (entry.time, entry.line, hash(tuple(sorted(entry.labels().items()))))
        new = key not in self._seen
        self._seen[key] = entry.time
        return new

    def _forget(self, before: int) -> None:
        if len(self._seen) > 2 * self.limit:
            self._seen = {key: at for key, at in self._seen.items() if at >= before}


def follow(tail: Tail, wanted: Callable[[], bool], pause: float = 0.5) -> Iterator[list[Entry]]:
    """What comes, until nobody wants it; an empty list when nothing came."""
    while wanted():
        yield tail.poll()
        time.sleep(pause)
