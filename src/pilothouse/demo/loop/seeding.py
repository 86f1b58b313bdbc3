"""What the forge holds when the demo begins: people, the checkout's repository, the environments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pilothouse.demo import repository
from pilothouse.demo.loop.forge import Person

CODE, ENVIRONMENTS = "shop/checkout", "shop/environments"
DECLARED = f"{ENVIRONMENTS}:environments.yaml"
FIRST = "1.0.0"


@dataclass(frozen=True)
class People:
    """Who there is: `mei` proposes changes, `ren` owns the repository and approves them."""

    mei: Person
    ren: Person


def seed(base_url: str, admin_token: str, scratch: Path, check: Callable[[], None]) -> People:
    """Make people and repositories, and push the first version by git. Raises DemoError."""
    admin = Person("admin", admin_token, base_url, check)
    people = People(*(_person(admin, login) for login in ("mei", "ren")))
    for name, files in ((CODE, repository.base()), (ENVIRONMENTS, repository.environments())):
        people.ren.post("/repositories", name=name)
        people.ren.post(f"/repositories/{name}", allow="mei", permission="write")
        directory = scratch / name.replace("/", "-")
        first_commit(people.ren, directory, files)
        if name == CODE:
            people.ren.git(directory, "tag", "-a", f"v{FIRST}", "-m", f"checkout {FIRST}")
        people.ren.push(directory, name, "main", *([f"v{FIRST}"] if name == CODE else []))
    return people


def first_commit(person: Person, directory: Path, files: dict[str, str]) -> None:
    """A working tree with these files as its first commit, on the branch main."""
    directory.mkdir(parents=True)
    person.git(directory, "init", "--quiet", "--initial-branch=main")
    write(directory, files)
    person.git(directory, "add", "--all")
    person.git(directory, "commit", "--quiet", "-m", "feat: price orders and keep receipts")


def write(directory: Path, files: dict[str, str]) -> None:
    """Write files, by path, below a directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _person(admin: Person, login: str) -> Person:
    admin.post("/users", login=login, name=login.capitalize())
    token = admin.post("/tokens", login=login, name="demo")["token"]
    return Person(login, token, admin.base_url, admin.check)
