"""A place in the tokens, with the moves that a recursive descent parser makes."""

from __future__ import annotations

from typing import NoReturn

from pilothouse.signals.logs.logql.tokens import LogQLError, Token, tokens

_SHOWN = {"END": "$end"}
# What Loki calls by its name where it did not expect it.
_KEYWORDS = frozenset({
    "by", "without", "offset", "or", "and", "unless", "bool", "on", "ignoring", "group_left", "group_right", "unwrap",
    "ip", "label_replace",
})  # fmt: skip
# A tree deeper than this is nobody's question, and walking it must not exhaust the stack.
_DEEPEST = 100


class Cursor:
    """Reads tokens from left to right."""

    def __init__(self, text: str, allow_all: bool = False) -> None:
        self.allow_all = allow_all
        self._tokens, self._place, self._depth = tokens(text), 0, 0

    @property
    def next(self) -> Token:
        """The token to come."""
        return self._tokens[self._place]

    @property
    def after(self) -> Token:
        """The token after that (the END when there is none)."""
        return self._tokens[min(self._place + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Move on by one."""
        token = self.next
        if token.kind != "END":
            self._place += 1
        return token

    def is_at(self, *wanted: str) -> bool:
        """Whether a symbol, kind or (for an identifier) word comes."""
        token = self.next
        return token.kind in wanted or (token.kind == "IDENTIFIER" and token.word in wanted)

    def accept(self, *wanted: str) -> Token | None:
        """Take it if it comes."""
        return self.take() if self.is_at(*wanted) else None

    def expect(self, *wanted: str) -> Token:
        """Take it, or say what was expected."""
        return self.accept(*wanted) or self.unexpected(*wanted)

    def unexpected(self, *wanted: str) -> NoReturn:
        """The error for the token to come."""
        token = self.next
        shown = _SHOWN.get(token.kind, token.kind)
        if token.kind == "IDENTIFIER" and token.word in _KEYWORDS:
            shown = token.word
        expecting = f", expecting {' or '.join(wanted)}" if 0 < len(wanted) <= 5 else ""
        raise LogQLError(f"syntax error: unexpected {shown}{expecting}", token.line, token.column)

    def wrong(self, message: str, token: Token | None = None) -> NoReturn:
        """An error of meaning, at a token."""
        place = token or self.next
        raise LogQLError(message, place.line, place.column)

    def descend(self) -> None:
        """One level deeper."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self.wrong(f"the query is nested deeper than {_DEEPEST} levels")

    def ascend(self) -> None:
        """Back up."""
        self._depth -= 1
