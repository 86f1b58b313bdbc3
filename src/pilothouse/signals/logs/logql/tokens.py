"""From the text of a query to tokens that know their line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.logql.quantities import BYTES, DURATION

LONGEST = 131_072


class LogQLError(BadRequestError):
    """A query that is not LogQL, or means nothing; worded and placed as Loki does."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        place = f" at line {line}, col {column}" if line else " "
        super().__init__(f"parse error{place}: {message}" if line else f"parse error : {message}", "query")
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is IDENTIFIER, STRING, NUMBER, DURATION, BYTES, RANGE, END or the symbol itself; `value` what it says."""

    kind: str
    value: str
    line: int
    column: int

    @property
    def word(self) -> str:
        """The value as a keyword: those may be written in any case."""
        return self.value.lower()


_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_TOKEN = re.compile(
    rf"""(?P<STRING>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<BYTES>{BYTES}(?![A-Za-z0-9_]))
    |(?P<DURATION>{DURATION}(?![A-Za-z0-9_]))
    |(?P<NUMBER>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<RANGE>\[[^\]]*\])
    |(?P<FLAG>--(?:strict|keep-empty)\b)
    |(?P<IDENTIFIER>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<SYMBOL>\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[{{}}(),|=<>+\-*/%^])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_ESCAPED = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'",
}  # fmt: skip


def tokens(text: str) -> list[Token]:
    """All tokens with an END at the end; raises `LogQLError` at what is none."""
    if len(text) > LONGEST:
        raise LogQLError(f"the query is longer than {LONGEST} characters")
    found, place = [], 0
    while place < len(text):
        if space := _SPACE.match(text, place):
            place = space.end()
            continue
        line, column = position(text, place)
        token = _TOKEN.match(text, place)
        if not token or not token.lastgroup:
            raise LogQLError(_unknown(text, place), line, column)
        kind, value = token.lastgroup, token[0]
        if kind == "STRING":
            value = unquote(value, line, column)
        elif kind in ("SYMBOL", "FLAG"):
            kind = value
        elif kind == "RANGE":
            value = value[1:-1].strip()
        found.append(Token(kind, value, line, column))
        place = token.end()
    found.append(Token("END", "", *position(text, len(text))))
    return found


def position(text: str, place: int) -> tuple[int, int]:
    """Line and column, both from 1."""
    before = text[:place]
    return before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1


def unquote(text: str, line: int = 0, column: int = 0) -> str:
    """What a string literal says: backticks say it as it stands, double quotes with Go's escapes."""
    if text.startswith("`"):
        return text[1:-1]

    def said(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "xuU" and len(code) > 1:
            return _character(int(code[1:], 16), line, column)
        if code[0] in "01234567" and len(code) == 3:
            return _character(int(code, 8), line, column)
        if code in _ESCAPED and code != "'":
            return _ESCAPED[code]
        raise LogQLError(f"invalid char escape \\{code}", line, column)

    return _ESCAPE.sub(said, text[1:-1])


def _character(code: int, line: int, column: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise LogQLError("invalid char escape", line, column)
    return chr(code)


def _unknown(text: str, place: int) -> str:
    if text[place] in '"`':
        return "literal not terminated"
    if text[place] == "[":
        return "missing closing ']' in duration"
    return f"syntax error: unexpected {text[place]!r}"
