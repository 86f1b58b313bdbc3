"""A built-in forge in a directory of its own, and what its events were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pilothouse.delivery.forges import Event
from pilothouse.delivery.forges.local import House, LocalForge
from tests.control.postgres import copy_directory


@dataclass
class Shop:
    """A forge with a repository `shop/cart`: ann owns it, bob may write, cat may read, dan is a stranger."""

    house: House
    events: list[Event] = field(default_factory=list)
    _bot: LocalForge | None = None

    def by(self, login: str) -> LocalForge:
        return LocalForge(self.house, self.house.bearer(login))

    @property
    def bot(self) -> LocalForge:
        """Found once: the stand-ins ask for it several times in each call."""
        self._bot = self._bot or LocalForge.as_pilothouse(self.house)
        return self._bot

    def told(self, *kinds: str) -> list[str]:
        """What was told since the last time, as `kind action number by`."""
        found = [
            f"{e.kind} {e.action} {e.number or ''} {e.sender}" for e in self.events if not kinds or e.kind in kinds
        ]
        self.events.clear()
        return [" ".join(line.split()) for line in found]

    def pull(self, branch: str, files: dict[str, bytes | None], by: str = "bob") -> int:
        """A branch with a commit, and a pull request of it."""
        forge = self.by(by)
        forge.commit_files("shop/cart", branch, f"change on {branch}", files)
        return forge.create_pull_request("shop/cart", branch, "main", f"Pull {branch}").number


def open_shop(directory: Path) -> Shop:
    events: list[Event] = []
    house = House(directory / "forge", f"sqlite:///{directory / 'control.db'}", events.append)
    house.open()
    return Shop(house, events)


@pytest.fixture
def shop(tmp_path: Path, template: Path) -> Iterator[Shop]:
    copy_directory(template, tmp_path)
    made = open_shop(tmp_path)
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same for all tests of a module that change nothing."""
    made = filled(tmp_path_factory.mktemp("forge"))
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that was filled and closed; copying it is a tenth of the work."""
    directory = tmp_path_factory.mktemp("template")
    filled(directory).house.close()
    return directory


def filled(directory: Path) -> Shop:
    return fill(open_shop(directory))


def fill(made: Shop) -> Shop:
    for login in ("ann", "bob", "cat", "dan"):
        made.house.people.add(login, login.title(), f"{login}@example.org")
    ann = made.by("ann")
    ann.create_repository("shop/cart")
    ann.allow("shop/cart", "bob", "write")
    ann.commit_files("shop/cart", "main", "first", {"README": b"hello\n", "src/a.py": b"a = 1\n"})
    made.events.clear()
    return made
