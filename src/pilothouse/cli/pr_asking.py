"""Pull requests of the forge that is meant: the built-in one over the server's API, any other by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from pilothouse.cli.client import fail
from pilothouse.cli.forge_access import ADDRESS, Asking, at, origin

if TYPE_CHECKING:
    from pilothouse.delivery.forges.locating import Located
    from pilothouse.delivery.forges.model import MergeMethod, ReviewState

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """Where git fetches a pull request's head from, with the environment that lets it in."""

    url: str
    ref: str
    environment: dict[str, str]


class Pulls(Protocol):
    """The pull requests of one repository; every answer is as `/api/forge` gives it.

    All end the program on an error.
    """

    def create(self, asked: Json) -> Json:
        """Ask for a merge: `head`, `base`, `title`, `body`, `draft`."""

    def list(self, state: str, limit: int) -> list[Json]:
        """Those in a state, or `all`, newest first."""

    def pull(self, number: int) -> Json:
        """One with its files and discussion."""

    def diff(self, number: int) -> str:
        """Its changes."""

    def comment(self, number: int, body: str, path: str, line: int) -> str:
        """Say something of it, with a path of a line; who said it."""

    def review(self, number: int, state: ReviewState, body: str) -> Json:
        """Review its head."""

    def merge(self, number: int, method: MergeMethod, head: str, message: str) -> tuple[Json, str]:
        """Merge it, if its head is still that; it, and where its base is now."""

    def change(self, number: int, action: str) -> Json:
        """`close`, `reopen` or `ready`."""

    def head(self, number: int) -> Head:
        """Where its head is fetched from."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a command is about: a repository of the built-in forge, or one elsewhere."""

    repository: str
    elsewhere: Located | None = None


def meant(repository: str | None, server: str) -> Meant:
    """`[FORGE:]OWNER/NAME` as given, where OWNER/NAME alone is of the built-in forge; else that of the clone around."""
    if repository and ":" not in repository:
        return Meant(repository)
    if repository:
        forge, _, name = repository.partition(":")
        return Meant(name) if forge == "local" else _named(forge, name)
    address = origin()
    if not address:
        fail("which repository? say --repository OWNER/NAME (FORGE:OWNER/NAME elsewhere), or run this in a clone of it")
    return _of_clone(address, server)


def _of_clone(address: str, server: str) -> Meant:
    url = urlsplit(address) if "://" in address else None
    built_in = ADDRESS.search(url.path) if url is not None else None
    if built_in and url is not None and url.netloc.rpartition("@")[2] == urlsplit(server).netloc:
        return Meant(built_in[1])
    from pilothouse.delivery.forges.locating import host_of, located

    if found := located(address, _configured()):
        return Meant(found.repository, found)
    if not built_in:
        host = host_of(address) or address
        fail(
            f"the clone here is from {host}, and no forge is known there: say which kind it is in pilothouse.toml, "
            f'[forges."{host}"] with kind = "gitlab" (github, forgejo, gitea), its url and token '
            "(docs/how-to/connect-github-gitlab-forgejo.md), or --repository OWNER/NAME for the built-in forge"
        )
    return Meant(built_in[1])


@contextmanager
def pulls(repository: str | None, token: str | None, server: str) -> Iterator[Pulls]:
    """The pull requests of what is meant."""
    found = meant(repository, server)
    if found.elsewhere is None:
        yield BuiltIn(found.repository, Asking(server, token))
        return
    from pilothouse.cli.pr_elsewhere import Elsewhere

    there = Elsewhere(found.elsewhere, token or "")
    try:
        yield there
    finally:
        there.hang_up()


class BuiltIn:
    """Those of the built-in forge."""

    def __init__(self, repository: str, asking: Asking) -> None:
        self._asking, self._repository = asking, at(repository)
        self._at = f"{self._repository}/pulls"

    def create(self, asked: Json) -> Json:
        """See `Pulls`."""
        return dict(self._asking.post(self._at, asked)["pull"])

    def list(self, state: str, limit: int) -> list[Json]:
        """See `Pulls`."""
        return list(self._asking.get(self._at, state=state, limit=limit)["pulls"])

    def pull(self, number: int) -> Json:
        """See `Pulls`."""
        return dict(self._asking.get(f"{self._at}/{number}")["pull"])

    def diff(self, number: int) -> str:
        """See `Pulls`."""
        return self._asking.text(f"{self._at}/{number}/diff")

    def comment(self, number: int, body: str, path: str, line: int) -> str:
        """See `Pulls`."""
        asked = {"body": body} | ({"path": path, "line": line} if path else {})
        return str(self._asking.post(f"{self._at}/{number}/comments", asked)["comment"]["author"])

    def review(self, number: int, state: ReviewState, body: str) -> Json:
        """See `Pulls`."""
        return dict(self._asking.post(f"{self._at}/{number}/reviews", {"state": state, "body": body})["review"])

    def merge(self, number: int, method: MergeMethod, head: str, message: str) -> tuple[Json, str]:
        """See `Pulls`."""
        asked = {"action": "merge", "method": method, "head": head, "message": message}
        made = self._asking.post(f"{self._at}/{number}", asked)
        return made["pull"], made["sha"]

    def change(self, number: int, action: str) -> Json:
        """See `Pulls`."""
        return dict(self._asking.post(f"{self._at}/{number}", {"action": action})["pull"])

    def head(self, number: int) -> Head:
        """See `Pulls`."""
        from pilothouse.cli.forge_importing import access

        url = self._asking.get(self._repository)["repository"]["clone_url"]
        return Head(url, f"refs/pull/{number}/head", access(url, self._asking.token()))


def _named(forge: str, repository: str) -> Meant:
    from pilothouse.delivery.forges.errors import ForgeError
    from pilothouse.delivery.forges.locating import named

    try:
        place = named(forge, repository, _configured())
    except ForgeError as error:
        fail(str(error))
    return Meant(repository, place)


def _configured() -> Any:
    """The forges of the configuration around."""
    from pilothouse.delivery.forges.settings import read
    from pilothouse.server.config import ConfigError, load

    try:
        found = read(load({}).config.forges)
    except (ConfigError, ValueError) as error:
        fail(f"the configuration, where forges are told of, cannot be read: {error}")
    return found
