"""From the text of a query to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.signals.metrics.promql.numbers import quote
from pilothouse.signals.metrics.promql.positions import Position

AGGREGATORS = frozenset(
    [
        "sum",
        "avg",
        "count",
        "min",
        "max",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "count_values",
        "quantile",
        "limitk",
        "limit_ratio",
    ]
)
WITH_PARAMETER = frozenset(("topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"))
KEYWORDS = frozenset(
    [
        "offset",
        "smoothed",
        "anchored",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "fill",
        "fill_left",
        "fill_right",
        "start",
        "end",
        "step",
        "range",
    ]
)
WORD_OPERATORS = frozenset(("and", "or", "unless", "atan2"))
SET_OPERATORS = frozenset(("and", "or", "unless"))
COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">="))
OPERATORS = WORD_OPERATORS | COMPARISONS | frozenset(("+", "-", "*", "/", "%", "^", "</", ">/", "@", "=~", "!~"))

_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)+")
_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(
    r"0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*"
    r"|(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?"
)
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_RUN = re.compile(r"[A-Za-z0-9_.]*")
_TWO = ("==", "!=", "<=", ">=", "=~", "!~", "</", ">/")
_ESCAPE = re.compile(r"[abfnrtv\\]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is `identifier`, `metric`, `keyword`, `aggregator`, `operator`, `number`, `duration`, `string`, `eof`,
    `error` (then `text` is the message), or a bracket or comma that stands for itself."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def position(self) -> Position:
        return Position(self.start, self.end)

    @property
    def word(self) -> str:
        """The text in lower case: keywords are recognised in any case."""
        return self.text.lower()

    def described(self) -> str:
        """As Prometheus names it in `unexpected ...`."""
        match self.kind:
            case "eof":
                return "end of input"
            case "operator":
                return f"<op:{self.text}>"
            case "keyword":
                return f"<{self.text}>"
            case "aggregator":
                return f"<aggr:{self.text}>"
            case "identifier" | "metric":
                return f"{'metric ' if self.kind == 'metric' else ''}identifier {quote(self.text)}"
            case "number" | "duration" | "string":
                text = quote(self.text) if len(self.text) <= 10 else f"{quote(self.text[:10])}..."
                return f"{self.kind} {text}"
        return quote(self.text)


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        self.braces = self.brackets = False
        self.parentheses = 0
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        while True:
            if found := _SPACE.match(self.text, self.place):
                self.place = found.end()
            token = self._next()
            self.tokens.append(token)
            self.place = token.end
            if token.kind in ("eof", "error"):
                return self.tokens

    def _token(self, kind: str, size: int) -> Token:
        return Token(kind, self.text[self.place : self.place + size], self.place, self.place + size)

    def _error(self, message: str) -> Token:
        return Token("error", message, self.place, len(self.text))

    def _next(self) -> Token:
        text, place = self.text, self.place
        if place >= len(text):
            return self._end()
        char = text[place]
        if char in "\"'`":
            return self._string(char)
        if self.braces:
            return self._inside_braces(char)
        if char.isascii() and (char.isdigit() or (char == "." and text[place + 1 : place + 2].isdigit())):
            return self._number()
        if char == ":" and self.brackets:
            return self._token("colon", 1)
        if found := _WORD.match(text, place):
            return self._word(found.group())
        if text[place : place + 2] in _TWO:
            if text[place : place + 2] in ("=~", "!~"):
                return self._error(f"unexpected character after '{char}': '~'")
            return self._token("operator", 2)
        if char in "+-*/%^<>@":
            return self._token("operator", 1)
        if char == "=":
            return self._token("=", 1)
        if char == "!":
            after = text[place + 1 : place + 2]
            return self._error(f"unexpected character after '!': {_rune(after)}")
        return self._bracket(char)

    def _end(self) -> Token:
        if self.braces:
            return self._error("unexpected end of input inside braces")
        if self.parentheses:
            return self._error("unclosed left parenthesis")
        if self.brackets:
            return self._error("unexpected end of input in duration expression")
        return Token("eof", "", len(self.text), len(self.text))

    def _bracket(self, char: str) -> Token:
        match char:
            case "(":
                self.parentheses += 1
            case ")":
                self.parentheses -= 1
                if self.parentheses < 0:
                    return self._error("unexpected right parenthesis ')'")
            case "{":
                self.braces = True
            case "[":
                if self.brackets:
                    return self._error("unexpected left bracket '['")
                self.brackets = True
            case "]":
                if not self.brackets:
                    return self._error("unexpected right bracket ']'")
                self.brackets = False
            case ",":
                pass
            case _:
                return self._error(f"unexpected character: {_rune(char)}")
        return self._token(char, 1)

    def _inside_braces(self, char: str) -> Token:
        text, place = self.text, self.place
        if found := _LABEL.match(text, place):
            return self._token("identifier", found.end() - place)
        two = text[place : place + 2]
        if two in ("=~", "!~", "!="):
            return self._token("operator", 2)
        if char == "=":
            return self._token("=", 1)
        if char == ",":
            return self._token(",", 1)
        if char == "}":
            self.braces = False
            return self._token("}", 1)
        if char == "{":
            return self._error("unexpected left brace '{'")
        if char == "!":
            return self._error(f"unexpected character after '!' inside braces: {_rune(two[1:])}")
        return self._error(f"unexpected character inside braces: {_rune(char)}")

    def _word(self, word: str) -> Token:
        lowered = word.lower()
        if lowered in AGGREGATORS:
            kind = "aggregator"
        elif lowered in WORD_OPERATORS:
            kind = "operator"
        elif lowered in KEYWORDS:
            kind = "keyword"
        elif lowered in ("inf", "nan"):
            kind = "number"
        else:
            kind = "metric" if ":" in word else "identifier"
        return self._token(kind, len(word))

    def _number(self) -> Token:
        for kind, pattern in (("number", _NUMBER), ("duration", _DURATION)):
            found = pattern.match(self.text, self.place)
            if found and not re.match(r"[A-Za-z0-9_.]", self.text[found.end() : found.end() + 1]):
                return self._token(kind, found.end() - self.place)
        run = _RUN.match(self.text, self.place)
        return self._error(f"bad number or duration syntax: {quote(run.group() if run else '')}")

    def _string(self, mark: str) -> Token:
        place, text = self.place + 1, self.text
        while place < len(text) and text[place] != mark:
            if mark != "`":
                if text[place] == "\n":
                    return self._error("unterminated quoted string")
                if text[place] == "\\":
                    if place + 1 < len(text) and text[place + 1] == mark:
                        place += 2
                        continue
                    found = _ESCAPE.match(text, place + 1)
                    if not found:
                        return self._error(_escape_error(text[place + 1 : place + 2]))
                    place = found.end()
                    continue
            place += 1
        if place >= len(text):
            return self._error("unterminated raw string" if mark == "`" else "unterminated quoted string")
        return self._token("string", place + 1 - self.place)


def _rune(char: str) -> str:
    return f"'{char}'" if char else "'\\U0010ffff'"


def _escape_error(char: str) -> str:
    return f"unknown escape sequence U+{ord(char):04X} '{char}'" if char else "escape sequence not terminated"


def tokenize(text: str) -> list[Token]:
    """All tokens; the last one is `eof`, or `error` where the text cannot be read further."""
    return _Lexer(text).run()
