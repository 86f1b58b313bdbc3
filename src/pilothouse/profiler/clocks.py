"""How much CPU each thread used: the kernel's per-thread clocks on Linux, an estimate elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType

from pilothouse.profiler.blocking import waits

# What a thread gains while it only wakes up to wait again.
_LEAST_NANOSECONDS = 20_000
# A thread that has just been woken is where it waited, and has used next to nothing.
_AT_WORK = 500_000

Gained = dict[int, tuple[int, bool]]


class ThreadClocks:
    """Linux: the clock of a thread is named by its kernel id, so that one that has ended is an error and no more.

    The numbering is that of the kernel's include/linux/posix-timers.h (`make_thread_cpuclock` with CPUCLOCK_SCHED).
    """

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, int]] = {}

    def gained(self, frames: Mapping[int, FrameType]) -> Gained:
        """Nanoseconds that each thread (by `threading.get_ident`) used since the call before, and whether it works now.

        A new one has used nothing yet.
        """
        gained: dict[int, tuple[int, bool]] = {}
        after: dict[int, tuple[int, int]] = {}
        native = {one.ident: one.native_id for one in threading.enumerate()}
        # After a fork `native_id` is the parent's until Python 3.13; the thread that is left has the process' own id.
        native[threading.main_thread().ident] = os.getpid()
        for thread, frame in frames.items():
            number = native.get(thread)
            if number is None:
                continue
            clock = ~number << 3 | 6
            try:
                now = time.clock_gettime_ns(clock)
            except OSError:
                continue
            known = self._before.get(thread)
            before = known[1] if known and known[0] == clock else now
            after[thread] = (clock, now)
            if now - before >= _LEAST_NANOSECONDS:
                gained[thread] = (now - before, now - before >= _AT_WORK and not waits(number, frame))
        self._before = after
        return gained


class MovingThreads:
    """Elsewhere: what the process used is shared among the threads that are not where they were."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[int, int]] = {}
        self._used = time.process_time_ns()

    def gained(self, frames: Mapping[int, FrameType]) -> Gained:
        """As `ThreadClocks.gained`."""
        places = {thread: (id(frame.f_code), frame.f_lasti) for thread, frame in frames.items()}
        moved = [thread for thread, place in places.items() if self._places.get(thread) != place]
        used = time.process_time_ns()
        gain, self._used, self._places = used - self._used, used, places
        return dict.fromkeys(moved, (gain // len(moved), True)) if moved and gain >= _LEAST_NANOSECONDS else {}


def thread_clocks() -> ThreadClocks | MovingThreads:
    """What this system has."""
    return ThreadClocks() if sys.platform == "linux" else MovingThreads()
