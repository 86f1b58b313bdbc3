"""pprof (google/pprof, proto/profile.proto) written with the standard library alone."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence

Frame = tuple[str, str, int]
"""A function, its file and the line."""
Labels = tuple[tuple[str, str], ...]


def pprof(
    samples: Mapping[tuple[tuple[Frame, ...], Labels], Sequence[int]],
    types: Sequence[tuple[str, str]],
    begin: int,
    duration: int,
    period: tuple[int, str, str],
) -> bytes:
    """A gzipped profile. `samples` are leaf first, with a value for each of `types` (name, unit); times in ns."""
    writer = _Writer()
    out: list[bytes] = [
        _message(1, _number(1, writer.text(name)), _number(2, writer.text(unit))) for name, unit in types
    ]
    for (frames, labels), values in samples.items():
        ids = b"".join(_varint(writer.location(frame)) for frame in frames)
        numbers = b"".join(_varint(value) for value in values)
        said = [_message(3, _number(1, writer.text(key)), _number(2, writer.text(text))) for key, text in labels]
        out.append(_message(2, _bytes(1, ids), _bytes(2, numbers), *said))
    out += [_number(9, begin), _number(10, duration), _number(12, period[0])]
    out.append(writer.kind(11, period[1], period[2]))
    return gzip.compress(b"".join((*out, *writer.tables())), 6)


class _Writer:
    def __init__(self) -> None:
        self._texts: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[Frame, int] = {}

    def text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def kind(self, field: int, name: str, unit: str) -> bytes:
        return _message(field, _number(1, self.text(name)), _number(2, self.text(unit)))

    def location(self, frame: Frame) -> int:
        return self._locations.setdefault(frame, len(self._locations) + 1)

    def tables(self) -> Iterable[bytes]:
        """Locations, functions and strings; call it last."""
        for (name, file, line), id in self._locations.items():
            function = self._functions.setdefault((name, file), len(self._functions) + 1)
            yield _message(4, _number(1, id), _message(4, _number(1, function), _number(2, max(line, 0))))
        for (name, file), id in self._functions.items():
            yield _message(5, _number(1, id), _number(2, self.text(name)), _number(4, self.text(file)))
        for text in self._texts:
            yield _bytes(6, text.encode("utf-8", "replace"))


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _message(field: int, *parts: bytes) -> bytes:
    return _bytes(field, b"".join(parts))
