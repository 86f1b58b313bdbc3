"""An environment's files, to be read: of a directory, or of a commit on a forge without fetching all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from pilothouse.delivery.environments.errors import EditError

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Forge

_LARGEST = 2_000_000
_SUFFIXES = (".yaml", ".yml")
_VENDORED = ("node_modules", "vendor", "__pycache__")


class Folder(Protocol):
    """Files by their path below the folder."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    def text(self, name: str) -> str:
        """A file's text, its ends of line as they are. Raises `EditError`."""

    def manifests(self) -> Iterator[str]:
        """The YAML files, hidden and vendored folders left out, in a stable order. Raises `EditError`."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder of this machine."""

    path: Path

    def has(self, name: str) -> bool:
        """See `Folder`."""
        return (self.path / name).is_file()

    def text(self, name: str) -> str:
        """See `Folder`."""
        try:
            with (self.path / name).open("rb") as file:
                return _decoded(file.read(_LARGEST + 1), name)
        except OSError as error:
            raise EditError(f"{name}: {error.strerror or error}") from None

    def manifests(self) -> Iterator[str]:
        """See `Folder`."""
        if not self.path.is_dir():
            raise EditError(f"{self.path.name}: there is no such folder")
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path)
            if _is_manifest(PurePosixPath(name.as_posix())) and path.is_file():
                yield name.as_posix()


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of a commit on a forge; its files are asked for one by one, as they are needed."""

    forge: Forge
    repository: str
    folder: str
    commit: str

    def has(self, name: str) -> bool:
        """See `Folder`."""
        from pilothouse.delivery.forges import MissingError

        try:
            self.forge.read_file(self.repository, self._path(name), self.commit)
        except MissingError:
            return False
        return True

    def text(self, name: str) -> str:
        """See `Folder`; raises the forge's errors too."""
        from pilothouse.delivery.forges import InvalidError, MissingError

        try:
            return _decoded(self.forge.read_file(self.repository, self._path(name), self.commit), name)
        except (MissingError, InvalidError) as error:
            raise EditError(f"{name}: {error}") from None

    def manifests(self) -> Iterator[str]:
        """See `Folder`; raises the forge's errors too."""
        found = self.forge.read_folder(self.repository, self.folder, self.commit, deep=True)
        if not found:
            raise EditError(f"{self.folder or 'the repository'}: there is no such folder")
        start = f"{self.folder}/" if self.folder else ""
        for name in sorted(entry.path.removeprefix(start) for entry in found if entry.kind == "file"):
            if _is_manifest(PurePosixPath(name)):
                yield name

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name


def _is_manifest(name: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") or part in _VENDORED for part in name.parts[:-1])
    return name.suffix.lower() in _SUFFIXES and not hidden


def _decoded(data: bytes, name: str) -> str:
    if len(data) > _LARGEST:
        raise EditError(f"{name}: is larger than {_LARGEST:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise EditError(f"{name}: is not UTF-8") from None
