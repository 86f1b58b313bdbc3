"""What the built-in forge is made of: its database, its repositories, its people, and where it is reached."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

from sqlalchemy import select

from pilothouse.delivery.forges.errors import MissingError
from pilothouse.delivery.forges.events import Event
from pilothouse.delivery.forges.local.people import Bearer, People
from pilothouse.delivery.forges.local.repositories import Kept, Repositories
from pilothouse.delivery.forges.local.settling import Settling
from pilothouse.delivery.forges.local.store import Sink, Store
from pilothouse.delivery.forges.local.tables import USERS
from pilothouse.delivery.forges.model import Remote
from pilothouse.replacing import replace_file

BOT = "pilothouse"
ADMIN = "admin"
_DAY = 86_400.0


def nobody_listens(event: Event) -> None:
    """For a forge whose events nobody wants."""


class House:
    """All parts of one forge. May be used from any thread."""

    def __init__(self, data: Path, database: str, sink: Sink = nobody_listens, name: str = "local") -> None:
        """Repositories in `data`, all else in the database (an SQLAlchemy URL); `sink` hears what happens."""
        self.name = name
        self.data = data
        self.address = ""
        # Not where the certificate is one that this machine's git does not trust.
        self.reaches_itself = True
        self.store = Store(database, sink)
        self.repositories = Repositories(self.store, data / "repositories")
        self.people = People(self.store)
        self.settling = Settling(name, self.store, self.repositories, self.page)
        self._tokens: dict[tuple[str, bool], str] = {}
        self._guard = threading.Lock()

    def open(self) -> None:
        """Make the first users, and tell what an earlier process did not come to tell."""
        if not self.people.is_user(BOT):
            self.people.add(BOT, "Pilothouse", "pilothouse@forge.invalid", is_bot=True, is_admin=True)
        token = self.data / "admin.token"
        if not self.people.is_user(ADMIN) or not token.exists():
            self.people.add(ADMIN, "Administrator", is_admin=True)
            _keep_secret(token, self.people.add_token(ADMIN, "the machine's owner"))
        for kept in self.repositories.all():
            self.settling.settle(kept)
        self.repositories.sweep()
        self.store.tell()

    def page(self) -> str:
        """Below which address the page shows pull requests (`OWNER/NAME/NUMBER`); nothing while there is no server."""
        return f"{self.address}/delivery/pulls" if self.address else ""

    def clone_url(self, kept: Kept) -> str:
        """Where people clone from: over HTTP when there is a server, else the directory."""
        if self.address:
            return f"{self.address}/git/{kept.full_name}.git"
        return str(self.repositories.git(kept).directory)

    def remote(self, kept: Kept, acting: Bearer | None, write: bool) -> Remote:
        """Where git gets in as somebody, with a token that is made for this process and ends after a day."""
        if not self.address or not self.reaches_itself:
            return Remote(str(self.repositories.git(kept).directory))
        url = self.clone_url(kept)
        if acting is None:
            return Remote(url)
        login = acting.user.login
        with self._guard:
            token = self._tokens.get((login, write))
            if token is None or self.people.who(token) is None:
                token = self._tokens[login, write] = self.people.add_token(login, "pilothouse", write, _DAY)
        basic = base64.b64encode(f"{login}:{token}".encode()).decode()
        header = ((f"http.{self.address}/.extraHeader", f"Authorization: Basic {basic}"),)
        settings = [
            part
            for at, (key, value) in enumerate(header)
            for part in ((f"GIT_CONFIG_KEY_{at}", key), (f"GIT_CONFIG_VALUE_{at}", value))
        ]
        return Remote(url, (("GIT_CONFIG_COUNT", str(len(header))), *settings))

    def login_of(self, email: str) -> str:
        """Whose address it is, or nothing."""
        with self.store.reading() as connection:
            asked = select(USERS.c.login).where(USERS.c.email == email).limit(1)
            return connection.execute(asked).scalar() or ""

    def bearer(self, login: str) -> Bearer:
        """A user with all his rights. Raises `MissingError`."""
        return self.people.bearer(login)

    def bearer_of(self, token: str) -> Bearer:
        """Who holds a token. Raises `MissingError`."""
        found = self.people.who(token)
        if not found:
            raise MissingError("this token is not known here, or it is over; `pilothouse forge token` makes one")
        return found

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


def _keep_secret(path: Path, secret: str) -> None:
    """Written for its owner's eyes only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, f"{secret}\n", 0o600)
