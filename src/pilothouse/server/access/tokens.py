"""Tokens: `pht_<id>_<secret>`. The secret is random and long, so that a plain SHA-256 of it is all that is kept.

A leaked one can be recognised by its shape; who has the database has no token.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, RowMapping, select

from pilothouse.server.access.callers import Caller
from pilothouse.server.access.scopes import SCOPES
from pilothouse.server.access.tables import tokens
from pilothouse.server.access.token_files import SHAPE, TokenFile, new_token

_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# A revoked token works no longer than this in a process that has just seen it.
_REMEMBERED_SECONDS = 5.0
_MOST_REMEMBERED = 10_000


class TokenError(ValueError):
    """A token cannot be made or found as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; never its secret. Times are nanoseconds since the epoch."""

    id: str
    name: str
    scopes: tuple[str, ...]
    tenant: str
    session: bool
    created: int
    expires: int | None

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= time.time_ns()


class TokenStore:
    """The tokens of a control-plane database, and of a file. May be used from any thread."""

    def __init__(self, database: Engine, file: TokenFile | None = None) -> None:
        self._database, self._file = database, file
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, Caller | None]] = {}

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        tenant: str = "",
        lifetime: float | None = None,
        session: bool = False,
    ) -> tuple[str, Token]:
        """A new token and its description; this is the only time that its text is known. `lifetime` in seconds."""
        given = tuple(scope for scope in SCOPES if scope in set(scopes))
        if unknown := sorted(set(scopes) - set(SCOPES)):
            raise TokenError(f"{unknown[0]!r} is not a scope; {', '.join(SCOPES)} are")
        if not given:
            raise TokenError(f"a token needs a scope: {', '.join(SCOPES)}")
        if not name.strip() or len(name) > 255 or not name.isprintable():
            raise TokenError("a token needs a name of 1 to 255 printable characters, to be known by")
        if tenant and not _TENANT.fullmatch(tenant):
            raise TokenError(f"{tenant!r} is not a tenant's name: lower-case letters, digits, - and _, at most 63")
        now = time.time_ns()
        text, identity, secret = new_token()
        made = Token(
            id=identity,
            name=name.strip(),
            scopes=given,
            tenant=tenant,
            session=session,
            created=now,
            expires=None if lifetime is None else now + int(lifetime * 1e9),
        )
        row = {
            "id": made.id, "hash": _hash(secret), "name": made.name, "scopes": ",".join(given), "tenant": tenant,
            "session": int(session), "created": now, "expires": made.expires,
        }  # fmt: skip
        with self._database.begin() as connection:
            connection.execute(tokens.insert().values(**row))
        return text, made

    def caller(self, text: str) -> Caller | None:
        """Whose token this is; None when it is none, was revoked or is over."""
        if not SHAPE.fullmatch(text):
            return None
        now, key = time.monotonic(), _hash(text)
        with self._lock:
            known = self._seen.get(key)
            if known and known[0] > now:
                return known[1]
        found = self._asked(text)
        with self._lock:
            if len(self._seen) >= _MOST_REMEMBERED:
                self._seen.clear()
            self._seen[key] = (now + _REMEMBERED_SECONDS, found)
        return found

    def remembers(self, text: str) -> bool:
        """Whether `caller` knows the answer without asking the database."""
        with self._lock:
            known = self._seen.get(_hash(text))
        return not SHAPE.fullmatch(text) or (known is not None and known[0] > time.monotonic() + 1)

    def all(self, sessions: bool = False) -> list[Token]:
        """Every token, the oldest first; browsers' sessions only when asked for."""
        asked = select(tokens).order_by(tokens.c.created)
        with self._database.connect() as connection:
            rows = [_token(row) for row in connection.execute(asked).mappings()]
        return [one for one in rows if sessions or not one.session]

    def revoke(self, which: str) -> list[Token]:
        """Take back the token with this id, or all with this name; raises `TokenError` when there is none."""
        gone = [one for one in self.all(sessions=True) if which in (one.id, one.name)]
        if not gone:
            raise TokenError(f"there is no token {which!r}; `pilothouse token list` has them")
        with self._database.begin() as connection:
            connection.execute(tokens.delete().where(tokens.c.id.in_([one.id for one in gone])))
        with self._lock:
            self._seen.clear()
        return gone

    def sweep(self) -> None:
        """Forget the sessions that are over."""
        over = (tokens.c.session == 1) & (tokens.c.expires <= time.time_ns())
        with self._database.begin() as connection:
            connection.execute(tokens.delete().where(over))

    @property
    def empty(self) -> bool:
        """Whether there is no token at all that could be shown."""
        return not self._file and not self.all()

    def _asked(self, text: str) -> Caller | None:
        if self._file and (found := self._file.caller(text)):
            return found
        shaped = SHAPE.fullmatch(text)
        if not shaped:
            return None
        with self._database.connect() as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == shaped[1])).mappings().first()
        if row is None or not hmac.compare_digest(row["hash"], _hash(shaped[2])):
            return None
        token = _token(row)
        if token.expired:
            return None
        return Caller(token.name, frozenset(token.scopes), token.tenant, token.session)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: RowMapping) -> Token:
    return Token(
        row["id"], row["name"], tuple(row["scopes"].split(",")), row["tenant"], bool(row["session"]), row["created"],
        row["expires"],
    )  # fmt: skip
