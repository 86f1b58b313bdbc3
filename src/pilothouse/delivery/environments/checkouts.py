"""An environment's source as files on this machine, for as long as they are looked at."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pilothouse.delivery.environments.errors import EnvironmentsError
from pilothouse.delivery.fetching import FetchError, git
from pilothouse.delivery.forges.errors import UnavailableError

if TYPE_CHECKING:
    from pilothouse.delivery.environments.model import Source
    from pilothouse.delivery.forges import Forge, Remote

_SECONDS = 120
_IGNORED = (".git", "node_modules")


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files at `root`; `commit` and `branch` are empty for a directory that is in no repository."""

    root: Path
    commit: str = ""
    branch: str = ""

    def write(self, folder: str, files: Mapping[str, str]) -> None:
        """Put files (by path below the folder) into this copy, their ends of line as given."""
        for name, text in files.items():
            path = self.root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(text)


@contextmanager
def checkout(source: Source, forge: Forge | None = None) -> Iterator[Checkout]:
    """A copy of the source that may be written to; gone afterwards. Raises `EnvironmentsError`, the forge's errors."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-environment-") as place:
        root = Path(place) / "files"
        root.mkdir()
        if source.directory:
            yield _copied(source, root)
            return
        if forge is None:
            raise EnvironmentsError(f"{source}: is on a forge, and no forge is configured here")
        branch = source.branch or forge.repository(source.repository).default_branch
        commit = fetch(forge.remote(source.repository), f"refs/heads/{branch}", Path(place) / "git", root)
        yield Checkout(root, commit, branch)


def fetch(remote: Remote, ref: str, repository: Path, root: Path) -> str:
    """The files of a remote's ref into `root`; returns the commit.

    Raises `UnavailableError` with git's words when it cannot be fetched, which may be otherwise later, and
    `EnvironmentsError` for what cannot be written here.
    """
    environment = dict(remote.environment)
    _git(["init", "--quiet", "--bare", str(repository)], environment)
    here = [f"--git-dir={repository}"]
    try:
        git([*here, "fetch", "--quiet", "--depth=1", "--no-tags", remote.url, ref], environment, _SECONDS)
    except FetchError as error:
        raise UnavailableError(str(error)) from None
    _git([*here, f"--work-tree={root}", "checkout", "--quiet", "--force", "FETCH_HEAD", "--", "."], environment, root)
    return _git([*here, "rev-parse", "FETCH_HEAD"], environment).strip()


def _copied(source: Source, root: Path) -> Checkout:
    there = Path(source.directory) / source.folder
    if not there.is_dir():
        raise EnvironmentsError(f"{there}: there is no such directory")
    try:
        shutil.copytree(there, root / source.folder, symlinks=True, dirs_exist_ok=True, ignore=_ignored)
    except (OSError, shutil.Error) as error:
        raise EnvironmentsError(f"{there}: {error}") from None
    _show_around(Path(source.directory), root, PurePosixPath(source.folder))
    return Checkout(root)


def _show_around(directory: Path, root: Path, folder: PurePosixPath) -> None:
    """What lies beside the folder, for what its files lead to: a kustomization's `../base`, a chart that is shared.

    As links, since a directory of this machine may hold much else.
    """
    for above in folder.parents if folder.parts else ():
        for there in (directory / above).iterdir():
            here = root / above / there.name
            if not here.exists() and there.name not in _IGNORED:
                here.symlink_to(there.absolute())


def _ignored(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name in _IGNORED]


def _git(arguments: list[str], environment: Mapping[str, str], directory: Path | None = None) -> str:
    try:
        return git(arguments, environment, _SECONDS, directory)
    except FetchError as error:
        raise EnvironmentsError(str(error)) from None
