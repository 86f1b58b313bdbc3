"""From the text of a query to its tokens.

Identifiers, numbers, strings and comments are Go's; an attribute's name runs until a space or one of `{}()=~!<>&|^,`,
so that `+`, `-`, `*`, `/` and `%` after a name need a space before them (Tempo, "Construct a TraceQL query").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from pilothouse.signals.traces.traceql.durations import nanoseconds
from pilothouse.signals.traces.traceql.errors import ParseError

MOST_CHARACTERS = 131_072
SCOPES = ("resource", "span", "event", "link", "instrumentation", "parent")
_OPERATORS = (
    "&>>", "&<<", "!>>", "!<<", "&&", "||", "&>", "&<", "&~", "!>", "!<", "!=", "!~", "=~", ">=", "<=", ">>", "<<",
    "=", ">", "<", "~", "!", "|", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", ",", "[", "]",
)  # fmt: skip
_OPERATOR = re.compile("|".join(map(re.escape, _OPERATORS)))
_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?"
)
_UNITS = re.compile(r"[\dnsumhµdwy.]+")
_WORD = re.compile(r"[^\W\d]\w*")
_NAME = re.compile(r"[^\s{}()=~!<>&|^,\"]+")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|\\.?")
_SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


class Kind(Enum):
    """What a token is."""

    WORD = "identifier"
    SCOPED = "scoped intrinsic"
    ATTRIBUTE = "attribute"
    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    DURATION = "duration"
    OPERATOR = "operator"
    END = "end of query"


@dataclass(frozen=True, slots=True)
class Token:
    """One token from `start` to just before `end`; attributes have a `scope` and may be of the parent."""

    kind: Kind
    text: str
    start: int
    end: int
    value: str | int | float = ""
    scope: str = ""
    parent: bool = False

    def said(self) -> str:
        """How a message names it."""
        if self.kind is Kind.END:
            return "$end"
        return self.kind.value.upper() if self.kind not in (Kind.OPERATOR, Kind.WORD) else self.text


def tokens(query: str) -> list[Token]:
    """All tokens, ended by one of kind END. Raises `ParseError`."""
    if len(query) > MOST_CHARACTERS:
        raise ParseError(f"the query is longer than {MOST_CHARACTERS} characters", query, 0)
    found: list[Token] = []
    place = 0
    while True:
        if space := _SPACE.match(query, place):
            place = space.end()
        if place >= len(query):
            return [*found, Token(Kind.END, "", place, place)]
        token = _token(query, place)
        found.append(token)
        place = token.end


def _token(query: str, place: int) -> Token:
    first = query[place]
    if first == '"':
        return _string(query, place)
    if first == "`":
        return _raw(query, place)
    if number := _NUMBER.match(query, place):
        return _number(query, number)
    if first == ".":
        return _attribute(query, place, place + 1, "", False)
    if word := _WORD.match(query, place):
        return _word(query, word)
    if operator := _OPERATOR.match(query, place):
        return Token(Kind.OPERATOR, operator[0], place, operator.end())
    raise ParseError(f"syntax error: unexpected {first!r}", query, place)


def _word(query: str, word: re.Match[str]) -> Token:
    text, end = word[0], word.end()
    follows = query[end : end + 1]
    if follows == "." and text in SCOPES:
        return _scoped(query, word.start(), end + 1, text)
    if follows == ":" and text in ("trace", "span", "event", "link", "instrumentation"):
        space = _SPACE.match(query, end + 1)
        inner = _WORD.match(query, space.end() if space else end + 1)
        if not inner:
            raise ParseError(f"syntax error: {text}: names no intrinsic", query, end + 1)
        return Token(Kind.SCOPED, f"{text}:{inner[0]}", word.start(), inner.end())
    return Token(Kind.WORD, text, word.start(), end)


def _scoped(query: str, start: int, place: int, scope: str) -> Token:
    if scope != "parent":
        return _attribute(query, start, place, scope, False)
    for inner in ("resource.", "span."):
        if query.startswith(inner, place):
            return _attribute(query, start, place + len(inner), inner[:-1], True)
    return _attribute(query, start, place, "", True)


def _attribute(query: str, start: int, place: int, scope: str, parent: bool) -> Token:
    parts = []
    end = place
    while True:
        if part := _NAME.match(query, end):
            parts.append(part[0])
            end = part.end()
        elif query[end : end + 1] == '"':
            text, end = _quoted_name(query, end)
            parts.append(text)
        else:
            break
    if end == place:
        raise ParseError("syntax error: unexpected END_ATTRIBUTE, expecting IDENTIFIER", query, place)
    return Token(Kind.ATTRIBUTE, query[start:end], start, end, "".join(parts), scope, parent)


def _quoted_name(query: str, start: int) -> tuple[str, int]:
    parts: list[str] = []
    place = start + 1
    while place < len(query):
        letter = query[place]
        if letter == '"':
            return "".join(parts), place + 1
        if letter == "\\":
            place += 1
            letter = query[place : place + 1]
            if letter not in ('"', "\\"):
                raise ParseError("invalid escape sequence", query, place)
        parts.append(letter)
        place += 1
    raise ParseError('unexpected EOF, expecting "', query, start)


def _string(query: str, place: int) -> Token:
    found = _STRING.match(query, place)
    if not found:
        raise ParseError("literal not terminated", query, place)

    def letter(escape: re.Match[str]) -> str:
        short, *codes = escape.groups()
        if short:
            return _SHORT[short]
        for code, base in zip(codes, (16, 8, 16, 16), strict=True):
            if code and int(code, base) <= 0x10FFFF and not 0xD800 <= int(code, base) <= 0xDFFF:
                return chr(int(code, base))
        raise ParseError("invalid syntax: unknown escape sequence", query, place + escape.start() + 1)

    return Token(Kind.STRING, found[0], place, found.end(), _ESCAPE.sub(letter, found[0][1:-1]))


def _raw(query: str, place: int) -> Token:
    end = query.find("`", place + 1)
    if end < 0:
        raise ParseError("literal not terminated", query, place)
    return Token(Kind.STRING, query[place : end + 1], place, end + 1, query[place + 1 : end].replace("\r", ""))


def _number(query: str, number: re.Match[str]) -> Token:
    start, end, text = number.start(), number.end(), number[0]
    units = _UNITS.match(query, end)
    if units and (length := nanoseconds(text + units[0])) is not None:
        return Token(Kind.DURATION, query[start : units.end()], start, units.end(), length)
    if _WORD.match(query, end):
        raise ParseError(f"syntax error: {query[start : end + 1]!r} is neither a number nor a duration", query, start)
    try:
        whole = int(text, 0) if not text.startswith("0") or not text.isdigit() else int(text, 8)
    except ValueError:
        return _float(query, start, end)
    if whole >= 2**63:
        raise ParseError(f"{text} is out of range", query, start)
    return Token(Kind.INTEGER, text, start, end, whole)


def _float(query: str, start: int, end: int) -> Token:
    try:
        return Token(Kind.FLOAT, query[start:end], start, end, float(query[start:end]))
    except ValueError:
        raise ParseError(f"syntax error: {query[start:end]!r} is not a number", query, start) from None
