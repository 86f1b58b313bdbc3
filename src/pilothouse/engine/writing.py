"""How often this process wrote to each table, and from which time on a table may hold other rows since."""

from __future__ import annotations

import threading
from collections import Counter, deque

_REMEMBERED = 4096
NEVER = 2**62
"""Later than any row's time: nothing was written."""


class Writes:
    """May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands, self._stored = 0, Counter[str]()
        self._oldest: dict[str, deque[tuple[int, int | None]]] = {}

    def number(self, table: str) -> int:
        """Changes whenever the table may have got other rows."""
        return self._commands + self._stored[table]

    def commanded(self) -> None:
        """A statement ran that may have changed any table."""
        with self._lock:
            self._commands += 1

    def stored(self, table: str, oldest: int | None) -> None:
        """Rows were stored, none older than `oldest` (milliseconds), if that is known."""
        with self._lock:
            self._stored[table] += 1
            noted = self._oldest.setdefault(table, deque(maxlen=_REMEMBERED))
            noted.append((self._commands + self._stored[table], oldest))

    def oldest_since(self, table: str, number: int) -> int | None:
        """The least time of all rows that were stored since `number` was the table's; None when that is not known."""
        with self._lock:
            missed = self.number(table) - number
            if missed == 0:
                return NEVER
            noted = list(self._oldest.get(table, ()))[-missed:] if missed > 0 else []
        # One entry for each write, or a command was among them, or too many came.
        if len(noted) < missed or not noted or noted[0][0] != number + 1:
            return None
        least = NEVER
        for _, oldest in noted:
            if oldest is None:
                return None
            least = min(least, oldest)
        return least
