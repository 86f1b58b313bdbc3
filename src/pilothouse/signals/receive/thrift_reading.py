"""Thrift's binary protocol, as far as a struct needs it (Apache Thrift, "Thrift Binary protocol encoding").

A struct becomes a dictionary from field numbers to values; what a field means is for the caller to know.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pilothouse.signals.errors import BadRequestError

_BOOL, _BYTE, _DOUBLE, _I16, _I32, _I64, _BYTES, _STRUCT, _MAP, _SET, _LIST = 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15
_DEEPEST = 16
Form = struct.Struct
_NUMBERS = {
    _BOOL: Form(">?"), _BYTE: Form(">b"), _DOUBLE: Form(">d"), _I16: Form(">h"),
    _I32: Form(">i"), _I64: Form(">q"),
}  # fmt: skip
_SHORT, _LONG = _NUMBERS[_I16], _NUMBERS[_I32]
Struct = dict[int, Any]


def read_struct(body: bytes) -> Struct:
    """The struct at the start of `body`. Raises `BadRequestError` when it is none."""
    try:
        return _Reader(body).struct(0)
    except (struct.error, IndexError):
        raise BadRequestError("the body ends within a Thrift struct") from None


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body, self._place = body, 0
        self._readers: dict[int, Callable[[int], Any]] = {
            _BYTES: self._bytes, _STRUCT: self.struct, _MAP: self._map, _SET: self._list, _LIST: self._list,
        }  # fmt: skip

    def struct(self, depth: int) -> Struct:
        if depth > _DEEPEST:
            raise BadRequestError(f"the Thrift body is nested more than {_DEEPEST} deep")
        found: Struct = {}
        while kind := self._byte():
            number = self._number(_SHORT)
            found[number] = self._value(kind, depth + 1)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if number := _NUMBERS.get(kind):
            return self._number(number)
        reader = self._readers.get(kind)
        if reader is None:
            raise BadRequestError(f"byte {self._place} of the body: {kind} is not a Thrift type")
        return reader(depth)

    def _list(self, depth: int) -> list[Any]:
        kind, size = self._byte(), self._size()
        return [self._value(kind, depth + 1) for _ in range(size)]

    def _map(self, depth: int) -> list[tuple[Any, Any]]:
        key, value, size = self._byte(), self._byte(), self._size()
        return [(self._value(key, depth + 1), self._value(value, depth + 1)) for _ in range(size)]

    def _bytes(self, depth: int) -> bytes:
        size = self._size()
        self._place += size
        return self._body[self._place - size : self._place]

    def _size(self) -> int:
        """A length, which cannot be more than the bytes that are left: each element takes one at least."""
        size = self._number(_LONG)
        if not 0 <= size <= len(self._body) - self._place:
            raise BadRequestError(f"byte {self._place} of the body: a Thrift length of {size} goes beyond its end")
        return int(size)

    def _byte(self) -> int:
        self._place += 1
        return self._body[self._place - 1]

    def _number(self, form: Form) -> Any:
        value = form.unpack_from(self._body, self._place)[0]
        self._place += form.size
        return value
