"""The parts of a cluster in which something changed, and which of them is looked at next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

# So long what a person changed goes first; then what has waited longest.
_PATIENCE = 30.0


class Pending:
    """A queue without doubles. What people changed (`urgent`) goes before what only happened, and before what is told.

    Any thread may note; one takes.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        # Since when each waits, in the order in which they came.
        self._urgent: dict[str, float] = {}
        self._others: dict[str, float] = {}
        self._everything = False
        self.last_change = 0.0

    def __len__(self) -> int:
        with self._lock:
            return len(self._urgent.keys() | self._others.keys()) + self._everything

    @property
    def pressing(self) -> bool:
        """Whether something that a person changed waits."""
        return bool(self._urgent)

    def note(self, part: str, *, urgent: bool = False) -> None:
        """Something changed in a part."""
        with self._lock:
            (self._urgent if urgent else self._others).setdefault(part, time.monotonic())
            self._told()

    def note_all(self) -> None:
        """Something changed that may matter to all parts."""
        with self._lock:
            self._everything = True
            self._told()

    def again(self, parts: Iterable[str]) -> None:
        """What was not finished; it does not count as a change."""
        with self._lock:
            for part in parts:
                self._others.setdefault(part, time.monotonic())
            self._lock.notify_all()

    def wake(self) -> None:
        """End a wait although nothing changed."""
        with self._lock:
            self._lock.notify_all()

    def wait(self, seconds: float) -> bool:
        """Until something waits, or the time is over, or it is woken; whether something waits."""
        with self._lock:
            if not self._any():
                self._lock.wait(seconds)
            return self._any()

    def rest(self, seconds: float, stopping: Callable[[], bool]) -> None:
        """So long, unless something urgent comes."""
        until = time.monotonic() + seconds
        with self._lock:
            while not self._urgent and not stopping() and (left := until - time.monotonic()) > 0:
                self._lock.wait(left)

    def take(self, parts: Callable[[], Iterable[str]]) -> str | None:
        """The next one; `parts` are all that there are, for when all are to be looked at."""
        with self._lock:
            if self._everything:
                self._everything = False
                now = time.monotonic()
                for known in sorted(parts()):
                    self._others.setdefault(known, now)
            oldest = next(iter(self._others.values()), None)
            is_late = oldest is not None and time.monotonic() - oldest > _PATIENCE
            waiting = self._urgent if self._urgent and not is_late else self._others
            part = next(iter(waiting), None)
            if part is not None:
                self._urgent.pop(part, None)
                self._others.pop(part, None)
            return part

    def clear(self) -> None:
        """Forget all that waits."""
        with self._lock:
            self._urgent.clear()
            self._others.clear()
            self._everything = False

    def _any(self) -> bool:
        return bool(self._urgent or self._others or self._everything)

    def _told(self) -> None:
        self.last_change = time.monotonic()
        self._lock.notify_all()
