"""As whom Pilothouse asks GitHub: a user by a token, or an App that is installed for some owners."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from pilothouse.delivery.forges.github.app import App
from pilothouse.delivery.forges.model import User
from pilothouse.delivery.forges.remote.calling import Authorize, Caller
from pilothouse.delivery.forges.remote.reading import one
from pilothouse.delivery.forges.remote.secrets import Secret

_VERSION = "2022-11-28"


class Entry(Protocol):
    """Who asks."""

    def caller(self, owner: str) -> Caller:
        """What asks for an owner's repositories."""

    def token(self, owner: str) -> str:
        """What git lets in with."""

    def who(self) -> User:
        """Who it is."""

    def repositories(self) -> list[tuple[Caller, str]]:
        """What to ask for all repositories that may be worked on."""


class TokenEntry:
    """A user, or a bot's user, by a personal access token."""

    def __init__(self, token: Secret, make: Callable[[Authorize], Caller]) -> None:
        self._token = token
        self._caller = make(self._headers)

    def _headers(self, anew: bool) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._token.read()}", "x-github-api-version": _VERSION}

    def caller(self, owner: str) -> Caller:
        """The same for all."""
        return self._caller

    def token(self, owner: str) -> str:
        """The token."""
        return self._token.read()

    def who(self) -> User:
        """The token's user."""
        from pilothouse.delivery.forges.github import shapes

        return shapes.user(one(self._caller.get("/user")))

    def repositories(self) -> list[tuple[Caller, str]]:
        """All that the user may push to."""
        return [(self._caller, "/user/repos")]


class AppEntry:
    """A GitHub App."""

    def __init__(self, app_id: str, key: Secret, make: Callable[[Authorize], Caller]) -> None:
        self.app = App(app_id, key, make)
        self._make = make
        self._lock = threading.Lock()
        self._callers: dict[str, Caller] = {}

    def caller(self, owner: str) -> Caller:
        """One for each installation."""
        with self._lock:
            if owner.lower() not in self._callers:

                def headers(anew: bool) -> Mapping[str, str]:
                    return {"authorization": f"Bearer {self.app.token(owner, anew)}", "x-github-api-version": _VERSION}

                self._callers[owner.lower()] = self._make(headers)
            return self._callers[owner.lower()]

    def token(self, owner: str) -> str:
        """The installation's token."""
        return self.app.token(owner)

    def who(self) -> User:
        """The App's bot."""
        slug = self.app.slug()
        return User(f"{slug}[bot]", slug, is_bot=True)

    def repositories(self) -> list[tuple[Caller, str]]:
        """All that it was installed for."""
        return [(self.caller(owner), "/installation/repositories") for owner in self.app.owners()]
