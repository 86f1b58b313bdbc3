"""All OWNERS files of a tree: from a path upwards, who may approve and review it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pilothouse.delivery.owners.files import OwnersError, OwnersFile, read_aliases, read_owners

FILE, ALIASES = "OWNERS", "OWNERS_ALIASES"


@dataclass(frozen=True, slots=True)
class OwnersTree:
    """The files by directory (`""` is the root), aliases, and what could not be read (path, reason).

    A file that cannot be read owns nothing: what it covers is then asked of the files above it.
    """

    files: Mapping[str, OwnersFile] = field(default_factory=dict)
    aliases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    broken: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, contents: Mapping[str, str]) -> OwnersTree:
        """From the texts of files by path."""
        files, aliases, broken = {}, {}, []
        for path, text in sorted(contents.items()):
            name, directory = PurePosixPath(path).name, _parent(path)
            try:
                if name == FILE:
                    files[directory] = read_owners(text)
                elif path == ALIASES:
                    aliases = read_aliases(text)
            except OwnersError as error:
                broken.append((path, str(error)))
        return cls(files, aliases, tuple(broken))

    def approvers(self, path: str) -> frozenset[str]:
        """Everyone who may approve a path: of its directory and of all above it."""
        return self._union(path, "approvers")

    def reviewers(self, path: str) -> frozenset[str]:
        """Everyone who may review a path."""
        return self._union(path, "reviewers")

    def required_reviewers(self, path: str) -> frozenset[str]:
        """Everyone who has to be asked for a review of a path."""
        return self._union(path, "required_reviewers")

    def leaf_approvers(self, path: str) -> frozenset[str]:
        """The approvers of the nearest file that names some: whom to ask first."""
        for _, people in self._levels(path, "approvers"):
            if people:
                return people
        return frozenset()

    def owners_file(self, path: str) -> str:
        """The path of the nearest OWNERS file that names approvers, or the root's."""
        for directory, people in self._levels(path, "approvers"):
            if people:
                return f"{directory}/{FILE}" if directory else FILE
        return FILE

    def labels(self, paths: Iterable[str]) -> frozenset[str]:
        """The labels that owners' files give to a change of these paths."""
        return frozenset(label for path in paths for _, found in self._levels(path, "labels") for label in found)

    def root_approvers(self) -> frozenset[str]:
        """The approvers of the whole repository."""
        root = self.files.get("")
        return self._resolved(root.everywhere.approvers) if root else frozenset()

    def named(self, path: str) -> frozenset[str]:
        """All logins in one file (its path, or that of the aliases); none when it is not there or cannot be read."""
        if path == ALIASES:
            return frozenset(login for people in self.aliases.values() for login in people)
        file = self.files.get(_parent(path))
        parts = [file.everywhere, *(people for _, people in file.filters)] if file else []
        return frozenset(
            name for one in parts for name in one.approvers | one.reviewers | one.required_reviewers
            if name not in self.aliases
        )  # fmt: skip

    def _union(self, path: str, role: str) -> frozenset[str]:
        return frozenset(name for _, people in self._levels(path, role) for name in people)

    def _levels(self, path: str, role: str) -> Iterable[tuple[str, frozenset[str]]]:
        """Directory by directory upwards; a file with `no_parent_owners` that names somebody is the last."""
        directory = path if path in self.files else _parent(path)
        while True:
            file = self.files.get(directory)
            if file is not None:
                relative = path[len(directory) :].lstrip("/") if directory else path
                named = frozenset(name for part in file.people(relative) for name in getattr(part, role))
                found = named if role == "labels" else self._resolved(named)
                if found:
                    yield directory, found
                if file.no_parent_owners and found:
                    return
            if not directory:
                return
            directory = _parent(directory)

    def _resolved(self, names: frozenset[str]) -> frozenset[str]:
        return frozenset(login for name in names for login in self.aliases.get(name, {name}))


def _parent(path: str) -> str:
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent
