"""Which Python stacks burn CPU: every few milliseconds, the stack of each thread that is at work is counted.

What a thread used by its own CPU clock is shared out among the stacks that it was seen in at work: how much is the
kernel's count, where it went is sampled. A thread that waits costs nothing and shows nothing; where it waits is not
charged for what it did before.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType

from pilothouse.profiler.clocks import thread_clocks

Place = tuple[CodeType, int]
"""A function's code and the line in it."""
Labels = tuple[tuple[str, str], ...]
Key = tuple[tuple[Place, ...], Labels]
Sampled = dict[Key, int]
"""Nanoseconds of CPU for each stack (leaf first) with its labels."""

_DEEPEST = 256
_SWITCH = 0.001


class CpuSampler:
    """Samples all threads of this process but its own, `rate` times a second."""

    def __init__(self, rate: int, labels_of: Callable[[int], Labels] = lambda thread: ()) -> None:
        self._pause, self._labels_of = 1 / rate, labels_of
        self._clocks = thread_clocks()
        self._names: dict[int, str] = {}
        self._counts: dict[int, dict[Key, int]] = {}
        self._used: dict[int, int] = {}
        self._switching = sys.getswitchinterval()
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pilothouse-cpu", daemon=True)

    def start(self) -> None:
        """Begin."""
        # A thread at work gives way after this long; what it does in its last milliseconds would never be seen.
        self._switching = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switching, _SWITCH))
        self._thread.start()

    def stop(self) -> None:
        """End; what was sampled can still be taken."""
        self._stopping.set()
        self._thread.join(2)
        sys.setswitchinterval(self._switching)

    def take(self) -> Sampled:
        """What was sampled since the last call; what a thread used without being seen at work is left for the next."""
        with self._lock:
            counts, self._counts = self._counts, {}
            used = {thread: self._used.pop(thread) for thread in counts}
        taken: Sampled = {}
        for thread, seen in counts.items():
            each = used[thread] / sum(seen.values())
            for key, count in seen.items():
                taken[key] = taken.get(key, 0) + round(count * each)
        return taken

    def _run(self) -> None:
        own = threading.get_ident()
        self._clocks.gained(sys._current_frames())
        while not self._stopping.wait(self._pause):
            frames = sys._current_frames()
            frames.pop(own, None)
            gained = self._clocks.gained(frames)
            with self._lock:
                for thread, (nanoseconds, works) in gained.items():
                    self._used[thread] = self._used.get(thread, 0) + nanoseconds
                    if works:
                        self._count(thread, frames[thread])
            # A frame that is held keeps its locals alive.
            frames.clear()

    def _count(self, thread: int, frame: FrameType) -> None:
        key = (_stack(frame), (("thread_name", self._name(thread)), *self._labels_of(thread)))
        counts = self._counts.setdefault(thread, {})
        counts[key] = counts.get(key, 0) + 1

    def _name(self, thread: int) -> str:
        if thread not in self._names:
            self._names = {one.ident: one.name for one in threading.enumerate() if one.ident is not None}
        return self._names.get(thread, str(thread))


def _stack(frame: FrameType | None) -> tuple[Place, ...]:
    places: list[Place] = []
    while frame is not None and len(places) < _DEEPEST:
        places.append((frame.f_code, frame.f_lineno or 0))
        frame = frame.f_back
    return tuple(places)
