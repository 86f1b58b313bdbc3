"""What happened to a repository, as triggers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Files:
    """The paths that changed, by how."""

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.added, *self.modified, *self.deleted, *self.renamed}))


@dataclass(frozen=True, slots=True)
class Change:
    """A pull request among those that are tested together in the merge pool."""

    number: int
    head: str
    author: str
    title: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """A pull request or a push. `revision` is what is tested: for a pull request its merge onto the base, not its head.

    `target_branch` is the branch that is merged or pushed to; for a tag it is `refs/tags/NAME`. `comment` is the text
    that asked for it, where one did. `body` is the forge's own payload, where it is known. `batch` are the pull
    requests that the merge pool tests, in order; the occasion is otherwise that of the last.
    """

    event: Literal["pull_request", "push"]
    repository: str
    url: str = ""
    revision: str = ""
    head: str = ""
    base: str = ""
    target_branch: str = "main"
    source_branch: str = ""
    source_url: str = ""
    default_branch: str = "main"
    sender: str = ""
    title: str = ""
    number: int = 0
    labels: frozenset[str] = frozenset()
    files: Files = Files()
    comment: str = ""
    batch: tuple[Change, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The repository's owner."""
        return self.repository.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The repository without its owner."""
        return self.repository.rpartition("/")[2]

    @property
    def tag(self) -> str:
        """The tag that was pushed, or nothing."""
        return self.target_branch.removeprefix("refs/tags/") if self.target_branch.startswith("refs/tags/") else ""
