"""Memory that bodies are received into."""

from __future__ import annotations


class Buffers:
    """Room for bodies, used again: the pages of the last one are still there, and near."""

    _STEP, _MOST, _LARGEST = 65_536, 8, 2_097_152

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def take(self, size: int) -> bytearray:
        """At least `size` bytes."""
        if self._free and len(self._free[-1]) >= size:
            return self._free.pop()
        return bytearray(-(-size // self._STEP) * self._STEP)

    def larger(self, buffer: bytearray, most: int) -> bytearray:
        """One twice as large, of up to `most` bytes, with what is in this one."""
        grown = self.take(min(2 * len(buffer), most))
        grown[: len(buffer)] = buffer
        self.give(buffer)
        return grown

    def give(self, buffer: bytearray) -> None:
        """Take one back whose bytes nobody wants any more."""
        if len(buffer) <= self._LARGEST and len(self._free) < self._MOST:
            self._free.append(buffer)
