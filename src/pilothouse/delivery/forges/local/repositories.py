"""The bare repositories on the disk and the rows that name them.

A repository's directory has a random name: what is in an address never becomes a path.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update

from pilothouse.delivery.forges.errors import ConflictError, MissingError
from pilothouse.delivery.forges.local import names
from pilothouse.delivery.forges.local.git import Git
from pilothouse.delivery.forges.local.removing import remove_repository
from pilothouse.delivery.forges.local.store import Store, Writing
from pilothouse.delivery.forges.local.tables import PROTECTIONS, REPOSITORIES
from pilothouse.delivery.forges.model import Permission, Repository

# Seconds after which nobody can still be writing there: git gives up on who is silent for less.
_ABANDONED = 3600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A repository as it is kept; `fork_of` is the number of the one that it was forked from."""

    id: int
    full_name: str
    directory: str
    default_branch: str
    description: str
    private: bool
    archived: bool
    fork_of: int | None

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.full_name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Protection:
    """Branches that are never deleted and never moved backwards; `push` is what who pushes must be allowed.

    `none`: nobody pushes, all goes through pull requests.
    """

    pattern: str
    push: Permission = "write"


class Repositories:
    """All repositories below one directory."""

    def __init__(self, store: Store, root: Path) -> None:
        self._store, self._root = store, root
        self._locks: dict[int, _Lock] = {}
        self._guard = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def git(self, repository: Kept) -> Git:
        """The git of a repository."""
        return Git(self._root / repository.directory)

    @contextmanager
    def locked(self, repository: Kept) -> Iterator[None]:
        """Alone with the refs of a repository, among threads and processes; a thread may enter again."""
        with self._guard:
            lock = self._locks.setdefault(repository.id, _Lock(self._root / f"{repository.directory}.lock"))
        with lock:
            yield

    def create(
        self, full_name: str, creator: str, own: Any, description: str = "", private: bool = False,
        default_branch: str = "main", fork_of: Kept | None = None,
    ) -> Kept:  # fmt: skip
        """Make one; `own(write, owner, creator)` makes the owner. Raises `ConflictError` when it is there."""
        owner, own_name = names.full_name(full_name)
        names.branch(default_branch)
        directory = f"{secrets.token_hex(16)}.git"
        self._make(directory, default_branch, fork_of)
        row = {
            "key": full_name.lower(), "full_name": f"{owner}/{own_name}", "directory": directory,
            "default_branch": default_branch, "description": description[:10_000], "private": private,
            "archived": False, "fork_of": fork_of.id if fork_of else None, "last_number": 0, "created": time.time(),
        }  # fmt: skip
        try:
            with self._store.writing() as write:
                if write(select(REPOSITORIES.c.id).where(REPOSITORIES.c.key == row["key"])).first():
                    raise ConflictError(f"there is a repository {full_name} already")
                own(write, owner, creator)
                made = write(insert(REPOSITORIES).values(**row)).inserted_primary_key[0]
                write(insert(PROTECTIONS).values(repository=made, pattern=default_branch, push="write"))
        except BaseException:
            shutil.rmtree(self._root / directory, ignore_errors=True)
            raise
        return self.find(full_name)

    def _make(self, directory: str, default_branch: str, fork_of: Kept | None) -> None:
        # Begun under a name that is never looked for, so that a crash leaves nothing half made.
        begun = self._root / f"begun-{directory}"
        try:
            Git(begun).run("init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}", str(begun))
            if fork_of:
                source = str(self.git(fork_of).directory)
                wanted = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
                Git(begun).run("fetch", "--quiet", "--no-write-fetch-head", source, *wanted, seconds=600)
            begun.rename(self._root / directory)
        except BaseException:
            shutil.rmtree(begun, ignore_errors=True)
            raise

    def tidy(self, repository: Kept) -> None:
        """Pack what many small pushes left loose, if it is much; what nothing refers to stays for two weeks."""
        git = self.git(repository)
        git.tried("-c", "gc.auto=2000", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet", seconds=3600)

    def sweep(self) -> None:
        """Take away what a crash left: repositories that no row names, halves of pushes."""
        known = {row.directory for row in self.all()}
        unnamed = (found for found in self._root.glob("*.git") if found.name not in known)
        half_pushed = self._root.glob("*.git/objects/tmp_objdir-*")
        for found in (*unnamed, *half_pushed, *self._root.glob("begun-*")):
            if time.time() - found.stat().st_mtime > _ABANDONED:
                shutil.rmtree(found, ignore_errors=True)

    def all(self) -> tuple[Kept, ...]:
        """All, by name."""
        with self._store.reading() as connection:
            return tuple(_kept(row) for row in connection.execute(select(REPOSITORIES).order_by(REPOSITORIES.c.key)))

    def find(self, full_name: str) -> Kept:
        """One by its full name. Raises `MissingError`."""
        return self._store.once(("repository", full_name), lambda: self._find(full_name))

    def _find(self, full_name: str) -> Kept:
        with self._store.reading() as connection:
            asked = select(REPOSITORIES).where(REPOSITORIES.c.key == full_name.lower())
            row = connection.execute(asked).first()
        if not row:
            raise MissingError(f"there is no repository {full_name[:130]!r}; `pilothouse forge create` makes one")
        return _kept(row)

    def names(self) -> dict[int, str]:
        """The full names by number."""
        with self._store.reading() as connection:
            found = connection.execute(select(REPOSITORIES.c.id, REPOSITORIES.c.full_name))
            return {row.id: row.full_name for row in found}

    def by_number(self, number: int) -> Kept | None:
        """One by its number."""
        with self._store.reading() as connection:
            row = connection.execute(select(REPOSITORIES).where(REPOSITORIES.c.id == number)).first()
        return _kept(row) if row else None

    def shown(self, repository: Kept, url: str = "") -> Repository:
        """As the interface shows it."""
        parent = self.by_number(repository.fork_of) if repository.fork_of else None
        return Repository(
            repository.full_name, repository.default_branch, repository.description, repository.private,
            repository.archived, parent.full_name if parent else "", url,
        )  # fmt: skip

    def remove(self, repository: Kept) -> None:
        """Take a repository away, for good."""
        with self.locked(repository):
            with self._store.writing() as write:
                remove_repository(write, repository.id)
            # Renamed first, so that what a crash leaves of it is swept up.
            gone = self._root / f"begun-{repository.directory}"
            (self._root / repository.directory).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
            (self._root / f"{repository.directory}.lock").unlink(missing_ok=True)

    def describe(self, repository: Kept, **values: str | bool) -> None:
        """Change its description, whether it is private, whether it is archived."""
        with self._store.writing() as write:
            write(update(REPOSITORIES).where(REPOSITORIES.c.id == repository.id).values(**values))

    def set_default_branch(self, write: Writing, repository: Kept, branch: str) -> None:
        """Make a branch the default one, protected as such."""
        self.git(repository).run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        write(update(REPOSITORIES).where(REPOSITORIES.c.id == repository.id).values(default_branch=branch))
        here = (PROTECTIONS.c.repository == repository.id) & (PROTECTIONS.c.pattern == branch)
        if not write(select(PROTECTIONS.c.pattern).where(here)).first():
            write(insert(PROTECTIONS).values(repository=repository.id, pattern=branch, push="write"))

    def protect(self, repository: Kept, pattern: str, push: Permission | None) -> None:
        """Protect the branches of a pattern (`release-*`); None ends it."""
        names.branch(pattern.replace("*", "x"))
        here = (PROTECTIONS.c.repository == repository.id) & (PROTECTIONS.c.pattern == pattern)
        with self._store.writing() as write:
            write(delete(PROTECTIONS).where(here))
            if push:
                write(insert(PROTECTIONS).values(repository=repository.id, pattern=pattern, push=push))

    def protections(self, repository: Kept) -> tuple[Protection, ...]:
        """What is protected."""
        asked = select(PROTECTIONS).where(PROTECTIONS.c.repository == repository.id).order_by(PROTECTIONS.c.pattern)
        with self._store.reading() as connection:
            return tuple(Protection(row.pattern, names.permission(row.push)) for row in connection.execute(asked))

    def protection(self, repository: Kept, branch: str) -> Protection | None:
        """What protects a branch; of several patterns the first by name."""
        fitting = (one for one in self.protections(repository) if fnmatchcase(branch, one.pattern))
        return next(fitting, None)


class _Lock:
    """A lock among threads and, by a file, among processes; the same thread may enter again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._file = -1

    def __enter__(self) -> None:
        self._threads.acquire()
        if self._depth == 0:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            os.close(self._file)
        self._threads.release()


def _kept(row: Any) -> Kept:
    return Kept(
        row.id, row.full_name, row.directory, row.default_branch, row.description, row.private, row.archived,
        row.fork_of,
    )  # fmt: skip
