"""Tokens from a file that somebody else keeps: a Kubernetes Secret, a configuration system. Read again when it changes.

A line is `NAME SCOPE[,SCOPE] TOKEN [TENANT]`; `#` begins a comment. `pilothouse token secret` makes one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from pilothouse.server.access.callers import Caller
from pilothouse.server.access.scopes import SCOPES

log = structlog.get_logger(__name__)
SHAPE = re.compile(r"pht_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


def new_token() -> tuple[str, str, str]:
    """A token's text, its id and its secret."""
    identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"pht_{identity}_{secret}", identity, secret


@dataclass(slots=True)
class TokenFile:
    """The callers of a file by the hashes of their tokens."""

    path: Path
    _callers: dict[str, Caller] = field(default_factory=dict)
    _version: tuple[float, int] | None = None

    def __post_init__(self) -> None:
        """Reads it; raises `OSError` when it cannot be read or a line is wrong."""
        self._callers, self._version = self._read(), self._stat()

    def caller(self, text: str) -> Caller | None:
        """Whose token this is."""
        try:
            if (version := self._stat()) != self._version:
                self._callers, self._version = self._read(), version
        except OSError as error:
            # Who may come in must not change because a file is being written.
            log.error("the file of tokens cannot be read; what it had before counts", reason=str(error))
        return self._callers.get(_hash(text))

    def __len__(self) -> int:
        """How many tokens it has."""
        return len(self._callers)

    def _stat(self) -> tuple[float, int]:
        found = self.path.stat()
        return found.st_mtime, found.st_size

    def _read(self) -> dict[str, Caller]:
        found = {}
        try:
            text = self.path.read_text()
        except UnicodeDecodeError:
            raise OSError(f"{self.path}: is not text") from None
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            scopes = frozenset(words[1].split(",")) if len(words) > 1 else frozenset()
            if len(words) not in (3, 4) or not scopes <= set(SCOPES) or not SHAPE.fullmatch(words[2]):
                raise OSError(f"{self.path}:{number}: `NAME SCOPE[,SCOPE] TOKEN [TENANT]` is wanted, a token as "
                              "`pilothouse token secret` makes them")  # fmt: skip
            found[_hash(words[2])] = Caller(words[0], scopes, words[3] if len(words) == 4 else "")
        return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
