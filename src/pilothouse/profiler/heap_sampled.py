"""What holds memory and what asked for it, from about one block in 512 KiB: `native/heap_sampling.c` does the noting.

A profile says how much was allocated since the last one, and how much is held, as Go's does. Both are estimates: a
place that holds n noted blocks is known to about one part in the square root of n (20 MB: 16 %).
"""

from __future__ import annotations

import atexit
import time
from types import CodeType
from typing import TYPE_CHECKING

from pilothouse.profiler.pprof_writing import Frame

if TYPE_CHECKING:
    from pilothouse.profiler import _heap_sampling as native
else:
    try:
        from pilothouse.profiler import _heap_sampling as native
    except ImportError:  # not compiled here, or for another Python
        native = None

_OWN = __file__.rpartition("/")[0]
_INTERVAL = 512 * 1024
_running: set[int] = set()


def is_there() -> bool:
    """Whether allocations can be sampled in this process."""
    return native is not None


class SampledHeap:
    """Watches what Python's objects take, of the whole process, from `start` to `stop`."""

    types = (
        ("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes"),
    )  # fmt: skip

    def __init__(self, interval: int = _INTERVAL) -> None:
        self.interval, self.took = interval, 0.0

    def start(self) -> None:
        """Begin; blocks allocated before are not known."""
        native.start(self.interval)
        _running.add(id(self))

    def stop(self) -> None:
        """End, unless another one still watches."""
        _running.discard(id(self))
        if not _running:
            native.stop()

    def take(self) -> dict[tuple[Frame, ...], tuple[int, ...]]:
        """Blocks and bytes allocated since the last time, and held now, for each stack, leaf first."""
        began = time.perf_counter()
        rows = native.take()
        self.took = time.perf_counter() - began
        found: dict[tuple[Frame, ...], tuple[int, ...]] = {}
        for frames, held_blocks, held_bytes, new_blocks, new_bytes in rows:
            stack = tuple(_frame(code, line) for code, line in frames)
            values = tuple(max(round(value), 0) for value in (new_blocks, new_bytes, held_blocks, held_bytes))
            if any(values) and not stack[0][1].startswith(_OWN):
                before = found.get(stack, (0, 0, 0, 0))
                found[stack] = tuple(one + other for one, other in zip(before, values, strict=True))
        return found


def _frame(code: CodeType, line: int) -> Frame:
    return code.co_qualname, code.co_filename, line


if native is not None:
    # A wrapped allocator must not outlive the interpreter that it looks at.
    atexit.register(native.stop)
