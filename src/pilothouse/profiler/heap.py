"""What holds memory: by a sample of the allocations where that was compiled, else by `tracemalloc`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pilothouse.profiler.pprof_writing import Frame


class Heap(Protocol):
    """What watches the memory of this process."""

    @property
    def types(self) -> tuple[tuple[str, str], ...]:
        """Name and unit of each value."""

    @property
    def interval(self) -> int:
        """One in so many bytes is noted."""

    @property
    def took(self) -> float:
        """Seconds that the process stood still for the last `take`."""

    def start(self) -> None:
        """Begin; blocks allocated before are not known."""

    def stop(self) -> None:
        """End."""

    def take(self) -> Mapping[tuple[Frame, ...], tuple[int, ...]]:
        """A value of each type for each stack, leaf first; what was allocated is since the last time."""


def heap(wanted: bool | None, frames: int) -> Heap | None:
    """What is to watch: None wants it where it is cheap, True anywhere. `frames` are what tracing sees of a stack."""
    if wanted is False:
        return None
    from pilothouse.profiler.heap_sampled import SampledHeap, is_there

    if is_there():
        return SampledHeap()
    if wanted is None:
        return None
    from pilothouse.profiler.heap_traced import TracedHeap

    return TracedHeap(frames)
