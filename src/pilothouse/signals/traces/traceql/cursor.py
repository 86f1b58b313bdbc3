"""A place in the tokens of a query."""

from __future__ import annotations

from pilothouse.signals.traces.traceql.errors import ParseError
from pilothouse.signals.traces.traceql.tokens import Kind, Token, tokens

# Deeper than anyone writes, and shallow enough for Python's stack.
MOST_NESTED = 100


class Cursor:
    """Reads tokens one after the other."""

    def __init__(self, query: str) -> None:
        self.query = query
        self._tokens = tokens(query)
        self._place = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._place]

    def take(self) -> Token:
        """The next token, and go on."""
        token = self.token
        if token.kind is not Kind.END:
            self._place += 1
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these operators or words."""
        return self.token.kind in (Kind.OPERATOR, Kind.WORD) and self.token.text in texts

    def follows(self, text: str) -> bool:
        """Whether the token after the next one is this operator."""
        after = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        return after.kind is Kind.OPERATOR and after.text == text

    def accept(self, *texts: str) -> str:
        """The next token's text, which is passed over, if it is one of these; else the empty string."""
        return self.take().text if self.at(*texts) else ""

    def expect(self, text: str) -> None:
        """Pass over this operator or word."""
        if not self.accept(text):
            raise self.unexpected(f", expecting {text}")

    def unexpected(self, expecting: str = "") -> ParseError:
        """The error that the next token does not belong here."""
        return self.fail(f"syntax error: unexpected {self.token.said()}{expecting}")

    def fail(self, reason: str, token: Token | None = None) -> ParseError:
        """The error that something is wrong at a token."""
        return ParseError(reason, self.query, (token or self.token).start)

    def deeper(self) -> None:
        """One level of nesting more."""
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise self.fail(f"nested more than {MOST_NESTED} levels deep")

    def higher(self) -> None:
        """One level less."""
        self._depth -= 1
