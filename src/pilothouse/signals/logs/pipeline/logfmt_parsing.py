"""`| logfmt` (Loki, "logfmt"; brandur.org/logfmt)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pilothouse.signals.logs.pipeline.json_parsing import label_name

if TYPE_CHECKING:
    from pilothouse.signals.logs.logql import tree
    from pilothouse.signals.logs.pipeline.entry import Entry

FAILED = "LogfmtParserErr"
_GAP = re.compile(r"[\x00-\x20]*")
_KEY = re.compile(r'[^\x00-\x20="]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^\x00-\x20="]*')
_REST = re.compile(r"[^\x00-\x20]*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/", "'": "'"}


class LogfmtError(ValueError):
    """A pair that is none."""


def pairs(line: str, strict: bool) -> Iterator[tuple[str, str]]:
    """Keys with their values; a key alone has an empty one. Bad pairs are left out, or with `strict` raised."""
    place = 0
    while (place := _end(_GAP, line, place)) < len(line):
        start = place
        try:
            key, value, place = _pair(line, place)
        except LogfmtError as error:
            if strict:
                raise LogfmtError(f"logfmt syntax error at pos {start + 1} : {error}") from None
            place = _end(_REST, line, start)
            continue
        yield key, value


def _pair(line: str, place: int) -> tuple[str, str, int]:
    end = _end(_KEY, line, place)
    if end == place:
        raise LogfmtError(f"unexpected {line[place]!r}")
    key = line[place:end]
    if end == len(line) or line[end] <= " ":
        return key, "", end
    if line[end] == '"':
        raise LogfmtError("unexpected '\"'")
    place = end + 1
    if line[place : place + 1] == '"':
        found = _QUOTED.match(line, place)
        if not found:
            raise LogfmtError("unterminated quoted value")
        return key, _ESCAPE.sub(_said, found[1]), found.end()
    end = _end(_BARE, line, place)
    if end < len(line) and line[end] > " ":
        raise LogfmtError(f"unexpected {line[end]!r}")
    return key, line[place:end], end


def _said(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "u" and len(code) == 5:
        character = chr(int(code[1:], 16))
        return character if not "\ud800" <= character <= "\udfff" else "\ufffd"
    return _ESCAPED.get(code, code)


def _end(expression: re.Pattern[str], line: str, place: int) -> int:
    found = expression.match(line, place)
    return found.end() if found else place


def parser(stage: tree.Logfmt) -> Callable[[Entry], bool]:
    """The stage as a function."""
    return _some(stage) if stage.expressions else _all(stage)


def _all(stage: tree.Logfmt) -> Callable[[Entry], bool]:
    def parse(entry: Entry) -> bool:
        try:
            for key, value in pairs(entry.line, stage.strict):
                if value or stage.keep_empty:
                    entry.extract(label_name(key), value)
        except LogfmtError as error:
            entry.fail(FAILED, str(error))
        return True

    return parse


def _some(stage: tree.Logfmt) -> Callable[[Entry], bool]:
    def parse(entry: Entry) -> bool:
        found: dict[str, str] = {}
        try:
            for key, value in pairs(entry.line, stage.strict):
                found.setdefault(key, value)
        except LogfmtError as error:
            entry.fail(FAILED, str(error))
        for label, key in stage.expressions:
            entry.extract(label, found.get(key, ""))
        return True

    return parse
