"""Asking the built-in forge as somebody: with whose token."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from pilothouse.cli.client import call, fail

Token = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="PILOTHOUSE_FORGE_TOKEN", metavar="TOKEN", help="Who you are on the forge.",
        show_default="what is kept for it",
    ),
]  # fmt: skip
Repository = Annotated[
    str | None,
    typer.Option(
        "--repository", "-R", metavar="[FORGE:]OWNER/NAME", show_default="that of the clone around",
        help="Which; on the built-in forge, unless FORGE is said (github, gitlab, a name of the configuration).",
    ),
]  # fmt: skip
ADDRESS = re.compile(r"/git/([^/]+/[^/]+?)(?:\.git)?/?$")
_TOKENS = Path("forge") / "admin.token"


class Asking:
    """The forge of a server, asked with a token."""

    def __init__(self, server: str, token: str | None) -> None:
        self._server, self._token = server, token

    def get(self, path: str, **parameters: Any) -> Any:
        """The answer to a question. Ends the program on an error."""
        return self._call("GET", path, params=parameters)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer of a change. Ends the program on an error."""
        if not self.token():
            # The server would say so too, but not that the machine's owner has one.
            fail(
                "this needs a token of the forge: say --token, set PILOTHOUSE_FORGE_TOKEN, or run it in a clone whose "
                f"address has one. On the server's machine its owner's is used, but {_place()} cannot be read: "
                "where the server keeps its data elsewhere, set PILOTHOUSE_DATA to that directory"
            )
        return self._call("POST", path, json=body)

    def text(self, path: str) -> str:
        """An answer that is no JSON."""
        return call(self._server, "GET", f"/api/forge{path}", headers=self._headers()).text

    def _call(self, method: str, path: str, **request: Any) -> Any:
        return call(self._server, method, f"/api/forge{path}", headers=self._headers(), **request).json()

    def _headers(self) -> dict[str, str]:
        token = self.token()
        return {"authorization": f"Bearer {token}"} if token else {}

    def token(self) -> str:
        """Given, else in the address of the clone's origin, else that of the machine's owner; perhaps nothing."""
        if self._token is None:
            self._token = _in_origin(self._server) or _owners()
        if not self._token:
            # The forge makes the owner's token when it is first asked for anything.
            call(self._server, "GET", "/api/forge/repositories")
            self._token = _owners()
        return self._token


def at(repository: str) -> str:
    """Its address in the API."""
    from urllib.parse import quote

    owner, slash, name = repository.partition("/")
    if not slash or "/" in name:
        fail(f"{repository!r} is not OWNER/NAME, for example shop/cart")
    return f"/repositories/{quote(owner, safe='')}/{quote(name, safe='')}"


def git(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """What git writes here. Ends the program with its words when it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            capture_output=True, text=True, env=os.environ | (environment or {}), check=False,
        )  # fmt: skip
    except OSError:
        fail("this needs git: install it")
    if done.returncode:
        fail(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def origin() -> str:
    """Where the clone around is from; nothing when there is none."""
    try:
        done = subprocess.run(
            ["git", "remote", "get-url", "origin"],  # noqa: S607
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _in_origin(server: str) -> str:
    """The token in the clone's address, when it is a clone from this server."""
    url, asked = urlsplit(origin()), urlsplit(server)
    same = url.hostname and (url.hostname, url.port) == (asked.hostname, asked.port)
    return url.password or "" if same else ""


def _owners() -> str:
    """The token of the machine's owner, where the server keeps its data; nothing when it cannot be read."""
    try:
        return Path(_place()).read_text().strip()
    except OSError:
        return ""


def _place() -> str:
    """Where that token is; nowhere with a configuration that cannot be read."""
    from pilothouse.server.config import ConfigError, load

    try:
        return str(load({}).config.data / _TOKENS)
    except ConfigError:
        return str(_TOKENS)
