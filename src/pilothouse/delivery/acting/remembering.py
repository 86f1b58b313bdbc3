"""Answers that are asked for again and again: kept for good where they stay true, else for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Remembered:
    """At most `most` answers, each for `seconds` (none: as long as there is room). May be used from any thread."""

    def __init__(self, most: int, seconds: float = float("inf")) -> None:
        self._most, self._seconds = most, seconds
        self._answers: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, question: Hashable, answer: Callable[[], T]) -> T:
        """What was answered before, or what `answer` says now. Two who ask at once may both ask anew."""
        now = time.monotonic()
        with self._lock:
            kept = self._answers.get(question)
            if kept is not None and now - kept[0] < self._seconds:
                self._answers.move_to_end(question)
                found: T = kept[1]
                return found
        found = answer()
        with self._lock:
            self._answers[question] = (now, found)
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return found

    def holds(self, question: Hashable) -> bool:
        """Whether it was answered, and is kept."""
        with self._lock:
            return question in self._answers
