"""Which Python stacks burn CPU: every few milliseconds, what each thread's clock gained goes to the stack it is in.

A thread that waits gains nothing, costs nothing and shows nothing. The values are CPU time as the kernel counts it, so
that they add up to what the process used, within one sample of a thread that ended.
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
Sampled = dict[tuple[tuple[Place, ...], Labels], int]
"""Nanoseconds of CPU for each stack (leaf first) with its labels."""

_DEEPEST = 256


class CpuSampler:
    """Samples all threads of this process but its own, `rate` times a second."""

    def __init__(self, rate: int, labels_of: Callable[[int], Labels] = lambda thread: ()) -> None:
        self._pause, self._labels_of = 1 / rate, labels_of
        self._clocks = thread_clocks()
        self._names: dict[int, str] = {}
        self._sampled: Sampled = {}
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pilothouse-cpu", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was sampled can still be taken."""
        self._stopping.set()
        self._thread.join(2)

    def take(self) -> Sampled:
        """What was sampled since the last call."""
        with self._lock:
            taken, self._sampled = self._sampled, {}
        return taken

    def _run(self) -> None:
        own = threading.get_ident()
        self._clocks.gained(sys._current_frames())
        while not self._stopping.wait(self._pause):
            frames = sys._current_frames()
            frames.pop(own, None)
            gained = self._clocks.gained(frames)
            with self._lock:
                for thread, nanoseconds in gained.items():
                    self._add(thread, frames[thread], nanoseconds)
            # A frame that is held keeps its locals alive.
            frames.clear()

    def _add(self, thread: int, frame: FrameType, nanoseconds: int) -> None:
        key = (_stack(frame), (("thread_name", self._name(thread)), *self._labels_of(thread)))
        self._sampled[key] = self._sampled.get(key, 0) + nanoseconds

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
