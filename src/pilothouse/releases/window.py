"""Time cut into windows: what is measured in one of them is one replicate."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.signals.timerange import NANOSECONDS, TimeRange


@dataclass(frozen=True, slots=True)
class Windows:
    """`count` windows of `width` nanoseconds, the first one beginning at `start`."""

    start: int
    width: int
    count: int

    @property
    def end(self) -> int:
        """Just after the last window."""
        return self.start + self.width * self.count

    @property
    def seconds(self) -> float:
        """The length of one window."""
        return self.width / NANOSECONDS

    @property
    def range(self) -> TimeRange:
        """All windows together."""
        return TimeRange(self.start, self.end)

    def at_least(self, seconds: float) -> Windows:
        """The same time in windows of at least so many seconds (as many as fit, at least one)."""
        if self.seconds >= seconds:
            return self
        return cut(self.range, max(int((self.end - self.start) / NANOSECONDS / seconds), 1))


def cut(within: TimeRange, count: int) -> Windows:
    """A time range in `count` windows of the same width."""
    return Windows(within.start, max((within.end - within.start) // count, 1), count)
