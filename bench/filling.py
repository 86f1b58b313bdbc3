"""Requests in bulk: a template is serialised once, then its varying bytes are written anew for every request.

Building five million different records with the protobuf library takes minutes. A template is built twice with
different fillings; the exclusive or of the two byte strings tells where each kind of varying byte stands. All of these
have a fixed width: digits and hexadecimal digits in texts, trace and span ids, times, numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_FIRST = 0x31
# What the two fillings of a kind of byte differ by; the first is the character 1 for all of them.
_DIGIT, _HEX, _ID, _TIME, _NUMBER = 0x03, 0x02, 0x04, 0x08, 0x10
_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


@dataclass
class Filling:
    """What a builder puts where bytes vary. It must ask for ids, times and numbers in the order of the wire."""

    second: bool = False
    ids: list[tuple[int, int]] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    numbers: list[tuple[bool, float, float, float]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def digits(self, count: int) -> str:
        """Decimal digits."""
        return chr(self._byte(_DIGIT)) * count

    def hexadecimal(self, count: int) -> str:
        """Hexadecimal digits."""
        return chr(self._byte(_HEX)) * count

    def identifier(self, which: int, length: int) -> bytes:
        """A trace id (16 bytes) or span id (8); the same `which` is the same id within a request."""
        self.ids.append((which, length))
        return bytes([self._byte(_ID)]) * length

    def time(self, offset: int) -> int:
        """A time, as nanoseconds after the request's."""
        self.times.append(offset)
        return int.from_bytes(bytes([self._byte(_TIME)]) * 8, "little")

    def double(self, start: float, slope: float = 0.0, noise: float = 0.0) -> float:
        """A float that is `start + slope * turn`, give or take `noise`."""
        self.numbers.append((False, start, slope, noise))
        return float(np.frombuffer(bytes([self._byte(_NUMBER)]) * 8, np.float64)[0])

    def integer(self, start: float, slope: float = 0.0, noise: float = 0.0) -> int:
        """The same as a whole number of fixed width."""
        self.numbers.append((True, start, slope, noise))
        return int.from_bytes(bytes([self._byte(_NUMBER)]) * 8, "little", signed=True)

    def line(self, text: str) -> str:
        """A log record's body, to be found again in the request."""
        self.lines.append(text)
        return text

    def _byte(self, difference: int) -> int:
        return _FIRST ^ difference if self.second else _FIRST


class Template:
    """One request with places for what varies; `records` is how many it holds."""

    def __init__(self, build: Callable[[Filling], Any], records: int) -> None:
        self.records = records
        filling, other = Filling(), Filling(second=True)
        plain, varied = _bytes(build(filling)), _bytes(build(other))
        differs = plain ^ varied
        self._bytes = plain
        self._digits, self._hex = np.flatnonzero(differs == _DIGIT), np.flatnonzero(differs == _HEX)
        self._ids, self._times, self._numbers = (np.flatnonzero(differs == kind) for kind in (_ID, _TIME, _NUMBER))
        sources = [np.arange(length) + which * 16 for which, length in filling.ids]
        self._id_source = np.concatenate(sources) if sources else np.zeros(0, np.int64)
        self._id_count = 1 + max((which for which, _ in filling.ids), default=0)
        self._offsets = np.array(filling.times, np.int64)
        self._is_whole = np.array([number[0] for number in filling.numbers], bool)
        self._start, self._slope, self._noise = np.array([number[1:] for number in filling.numbers]).reshape(-1, 3).T
        assert len(self._ids) == len(self._id_source), "ids were asked for out of order or overlap"
        assert len(self._times) == 8 * len(self._offsets)
        assert len(self._numbers) == 8 * len(self._start)
        self._lines = self._find(filling.lines)

    def fill(self, random: np.random.Generator, time: int, turn: int) -> Any:
        """A new request (array of bytes) at `time` (Unix nanoseconds)."""
        request = self._bytes.copy()
        request[self._digits] = random.integers(48, 58, len(self._digits), np.uint8)
        request[self._hex] = _HEX_DIGITS[random.integers(0, 16, len(self._hex), np.uint8)]
        request[self._ids] = random.integers(1, 256, self._id_count * 16, np.uint8)[self._id_source]
        request[self._times] = (time + self._offsets).view(np.uint8)
        request[self._numbers] = self._values(random, turn).view(np.uint8)
        return request

    def text(self, request: Any) -> Any:
        """The bodies of a request's log records, a line each (array of bytes)."""
        return np.append(request, np.uint8(10))[self._lines]

    def _values(self, random: np.random.Generator, turn: int) -> Any:
        values = self._start + self._slope * turn + self._noise * random.standard_normal(len(self._start))
        return np.where(self._is_whole, np.rint(values).astype(np.int64), values.view(np.int64))

    def _find(self, lines: list[str]) -> Any:
        whole, place, found = self._bytes.tobytes(), 0, []
        for line in lines:
            text = line.encode()
            place = whole.index(text, place)
            found.append(np.append(np.arange(place, place + len(text)), len(whole)))
            place += len(text)
        return np.concatenate(found) if found else np.zeros(0, np.int64)


def _bytes(message: Any) -> Any:
    return np.frombuffer(message.SerializeToString(deterministic=True), np.uint8)
