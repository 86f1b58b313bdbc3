"""Users, their tokens, organisations, and who may do what."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from pilothouse.delivery.forges.errors import InvalidError, MissingError
from pilothouse.delivery.forges.local import names
from pilothouse.delivery.forges.local.removing import remove_user
from pilothouse.delivery.forges.local.repositories import Kept
from pilothouse.delivery.forges.local.store import Store, Writing
from pilothouse.delivery.forges.local.tables import COLLABORATORS, MEMBERS, ORGANIZATIONS, TOKENS, USERS
from pilothouse.delivery.forges.model import PERMISSIONS, Permission, User

# Another one than that of the server's own tokens: each door knows which are its keys.
PREFIX = "phf_"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token is of, and whether it may change anything."""

    user: User
    is_admin: bool
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret."""

    id: int
    login: str
    name: str
    may_write: bool
    created: float
    expires: float


class People:
    """All who act on the forge."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, login: str, name: str = "", email: str = "", is_bot: bool = False, is_admin: bool = False) -> User:
        """Add a user, or change who is there. Raises `InvalidError` for a login that cannot be, or is taken."""
        names.name(login, "login")
        values = {
            "login": login, "name": name[:255] or login, "email": email[:255] or f"{login}@forge.invalid",
            "is_bot": is_bot, "is_admin": is_admin,
        }  # fmt: skip
        with self._store.writing() as write:
            if write(select(ORGANIZATIONS.c.key).where(ORGANIZATIONS.c.key == login.lower())).first():
                raise InvalidError(f"login: {login} is an organisation")
            if write(select(USERS.c.key).where(USERS.c.key == login.lower())).first():
                write(update(USERS).where(USERS.c.key == login.lower()).values(**values))
            else:
                write(insert(USERS).values(key=login.lower(), created=time.time(), **values))
        return _user(values)

    def remove(self, login: str) -> None:
        """Take a user away with tokens and rights; what he said stays. Somebody who is not there is fine."""
        with self._store.writing() as write:
            remove_user(write, _key(login))

    def all(self) -> tuple[User, ...]:
        """All users by login."""
        with self._store.reading() as connection:
            return tuple(_user(row) for row in connection.execute(select(USERS).order_by(USERS.c.key)).mappings())

    def find(self, login: str) -> User:
        """One of them. Raises `MissingError`."""
        return self._bearer(login).user

    def is_user(self, login: str) -> bool:
        """Whether there is such a user."""
        with self._store.reading() as connection:
            return bool(connection.execute(select(USERS.c.key).where(USERS.c.key == _key(login))).first())

    def _bearer(self, login: str) -> Bearer:
        with self._store.reading() as connection:
            row = connection.execute(select(USERS).where(USERS.c.key == _key(login))).mappings().first()
        if not row:
            raise MissingError(f"there is no user {login[:64]!r}; `pilothouse forge user add` makes one")
        return Bearer(_user(row), row["is_admin"])

    def bearer(self, login: str) -> Bearer:
        """A user with all rights of his. Raises `MissingError`."""
        return self._bearer(login)

    # -- tokens

    def add_token(self, login: str, name: str = "", may_write: bool = True, seconds: float = 0.0) -> str:
        """A new token of a user; only its hash is kept. `seconds` that it is good for, 0: for ever."""
        user = self.find(login)
        token = PREFIX + secrets.token_urlsafe(32)
        now = time.time()
        with self._store.writing() as write:
            write(delete(TOKENS).where(TOKENS.c.expires > 0, TOKENS.c.expires < now))
            write(
                insert(TOKENS).values(
                    hash=_hash(token), login=_key(user.login), name=name[:255], may_write=may_write, created=now,
                    expires=now + seconds if seconds else 0.0,
                )
            )  # fmt: skip
        return token

    def tokens(self, login: str) -> tuple[Token, ...]:
        """A user's tokens, oldest first."""
        columns = [column for column in TOKENS.c if column.name != "hash"]
        asked = select(*columns).where(TOKENS.c.login == _key(login)).order_by(TOKENS.c.id)
        with self._store.reading() as connection:
            return tuple(Token(**row) for row in connection.execute(asked).mappings())

    def revoke(self, login: str, token: int) -> None:
        """End a token; one that is not there is fine."""
        with self._store.writing() as write:
            write(delete(TOKENS).where(TOKENS.c.login == _key(login), TOKENS.c.id == token))

    def who(self, token: str) -> Bearer | None:
        """Who holds a token; None for one that was never given out, is ended or over."""
        asked = (
            select(USERS, TOKENS.c.may_write, TOKENS.c.expires)
            .join(TOKENS, TOKENS.c.login == USERS.c.key)
            .where(TOKENS.c.hash == _hash(token))
        )
        with self._store.reading() as connection:
            row = connection.execute(asked).mappings().first()
        if not row or 0 < row["expires"] < time.time():
            return None
        return Bearer(_user(row), row["is_admin"], row["may_write"])

    # -- organisations and permissions

    def own(self, write: Writing, owner: str, creator: str) -> None:
        """Make an organisation of a name that nobody has; its creator owns it."""
        key = _key(owner)
        if write(select(USERS.c.key).where(USERS.c.key == key)).first():
            return
        if not write(select(ORGANIZATIONS.c.key).where(ORGANIZATIONS.c.key == key)).first():
            write(insert(ORGANIZATIONS).values(key=key, name=owner))
            write(insert(MEMBERS).values(organization=key, login=_key(creator), permission="admin"))

    def is_organization(self, name: str) -> bool:
        """Whether it is an organisation."""
        with self._store.reading() as connection:
            asked = select(ORGANIZATIONS.c.key).where(ORGANIZATIONS.c.key == _key(name))
            return bool(connection.execute(asked).first())

    def set_member(self, organization: str, login: str, permission: Permission) -> None:
        """Let a user into an organisation with what he may do in all of its repositories; `none` ends it."""
        if not self.is_organization(organization):
            raise MissingError(f"there is no organisation {organization[:64]!r}")
        login = self.find(login).login
        here = (MEMBERS.c.organization == _key(organization)) & (MEMBERS.c.login == _key(login))
        with self._store.writing() as write:
            write(delete(MEMBERS).where(here))
            if permission != "none":
                values = {"organization": _key(organization), "login": _key(login), "permission": permission}
                write(insert(MEMBERS).values(**values))

    def members(self, organization: str) -> dict[str, str]:
        """Who belongs to an organisation, and what they may do."""
        asked = (
            select(USERS.c.login, MEMBERS.c.permission)
            .join(MEMBERS, MEMBERS.c.login == USERS.c.key)
            .where(MEMBERS.c.organization == _key(organization))
            .order_by(USERS.c.key)
        )
        with self._store.reading() as connection:
            return {row.login: row.permission for row in connection.execute(asked)}

    def is_member(self, organization: str, login: str) -> bool:
        """Whether somebody belongs to an organisation; a user belongs to itself."""
        if _key(organization) == _key(login):
            return self.is_user(login)
        here = (MEMBERS.c.organization == _key(organization)) & (MEMBERS.c.login == _key(login))
        with self._store.reading() as connection:
            return bool(connection.execute(select(MEMBERS.c.login).where(here)).first())

    def owns(self, organization: str, login: str) -> bool:
        """Whether somebody is an owner of an organisation."""
        here = (MEMBERS.c.organization == _key(organization)) & (MEMBERS.c.login == _key(login))
        with self._store.reading() as connection:
            asked = select(MEMBERS.c.login).where(here, MEMBERS.c.permission == "admin")
            return bool(connection.execute(asked).first())

    def allow(self, repository: Kept, login: str, permission: Permission) -> None:
        """Say what a user may do in a repository beyond what he may anyway; `none` takes it back."""
        login = self.find(login).login
        here = (COLLABORATORS.c.repository == repository.id) & (COLLABORATORS.c.login == _key(login))
        with self._store.writing() as write:
            write(delete(COLLABORATORS).where(here))
            if permission != "none":
                values = {"repository": repository.id, "login": _key(login), "permission": permission}
                write(insert(COLLABORATORS).values(**values))

    def permission(self, repository: Kept, login: str) -> Permission:
        """The most that somebody may do in a repository, by what he owns, belongs to or was allowed."""
        return self._store.once(("permission", repository.id, login), lambda: self._permission(repository, login))

    def _permission(self, repository: Kept, login: str) -> Permission:
        key, owner = _key(login), _key(repository.owner)
        with self._store.reading() as connection:
            user = connection.execute(select(USERS).where(USERS.c.key == key)).mappings().first()
            if not user:
                return "none"
            if user["is_admin"] or key == owner:
                return "admin"
            found = _given(connection, repository.id, owner, key)
        return max([*found, "none" if repository.private else "read"], key=PERMISSIONS.index)

    def collaborators(self, repository: Kept) -> dict[str, Permission]:
        """Those who may do more than read. Site administrators that were not let in are not among them."""
        owner = _key(repository.owner)
        let_in = select(COLLABORATORS.c.login).where(COLLABORATORS.c.repository == repository.id)
        members = select(MEMBERS.c.login).where(MEMBERS.c.organization == owner)
        asked = select(USERS.c.login).where(USERS.c.key.in_(let_in) | USERS.c.key.in_(members) | (USERS.c.key == owner))
        with self._store.one_look():
            with self._store.reading() as connection:
                logins = list(connection.execute(asked.order_by(USERS.c.key)).scalars())
            found = {login: self.permission(repository, login) for login in logins}
        return {login: permission for login, permission in found.items() if PERMISSIONS.index(permission) > 1}


def _given(connection: Connection, repository: int, owner: str, key: str) -> list[Permission]:
    here = (COLLABORATORS.c.repository == repository) & (COLLABORATORS.c.login == key)
    there = (MEMBERS.c.organization == owner) & (MEMBERS.c.login == key)
    texts = [
        *connection.execute(select(COLLABORATORS.c.permission).where(here)).scalars(),
        *connection.execute(select(MEMBERS.c.permission).where(there)).scalars(),
    ]
    return [names.permission(text) for text in texts]


def _user(row: Any) -> User:
    return User(row["login"], row["name"], row["email"], row["is_bot"])


def _key(login: str) -> str:
    return login.lower().lstrip("@")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
