"""What git knows between the last release and a commit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.delivery.fetching import FetchError, git
from pilothouse.delivery.forges.errors import UnavailableError
from pilothouse.delivery.releasing.release import PastCommit, ReleaseError

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Remote

_SECONDS = 300
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class History:
    """A repository's commits and tags, without its files."""

    directory: str
    environment: Mapping[str, str]

    def commit(self, ref: str) -> str:
        """The hash of a ref. Raises `ReleaseError`."""
        return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()

    def tags(self, commit: str) -> list[str]:
        """The tags that a commit can be reached to: releases of other branches are none of its past."""
        return self._git("tag", "--merged", commit).split()

    def tagged(self, commit: str) -> list[str]:
        """The tags at a commit."""
        return self._git("tag", "--points-at", commit).split()

    def later(self, commit: str) -> list[str]:
        """The tags that can be reached from further on: the commit is a part of them. The lowest version is first."""
        found = self._git("tag", "--contains", commit, "--sort=version:refname").split()
        here = self.tagged(commit)
        return [tag for tag in found if tag not in here]

    def between(self, before: str, commit: str) -> list[PastCommit]:
        """The commits since a tag (empty: since the beginning), newest first; merges are among them."""
        shown = f"{before}..{commit}" if before else commit
        text = self._git("log", "-z", f"--max-count={_MOST}", "--format=%H%n%B", "--end-of-options", shown)
        entries = (entry.partition("\n") for entry in text.split("\0") if entry.strip())
        return [PastCommit(sha, message.strip()) for sha, _, message in entries]

    def _git(self, *arguments: str) -> str:
        return _git([f"--git-dir={self.directory}", *arguments], self.environment)


@contextmanager
def history(remote: Remote, branch: str) -> Iterator[History]:
    """The history of a branch with its tags, for as long as it is looked at.

    Raises `UnavailableError` with git's words when it cannot be fetched: a remote that does not answer now may later.
    """
    environment = dict(remote.environment)
    with tempfile.TemporaryDirectory(prefix="pilothouse-history-") as directory:
        _git(["init", "--quiet", "--bare", directory], environment)
        _fetch(remote, branch, directory, environment)
        yield History(directory, environment)


def _fetch(remote: Remote, branch: str, directory: str, environment: Mapping[str, str]) -> None:
    what = ["--quiet", "--filter=tree:0", "--tags", remote.url, f"+refs/heads/{branch}:refs/heads/{branch}"]
    try:
        git([f"--git-dir={directory}", "fetch", *what], environment, _SECONDS)
    except FetchError as error:
        raise UnavailableError(str(error)) from None


def _git(arguments: list[str], environment: Mapping[str, str]) -> str:
    try:
        return git(arguments, environment, _SECONDS)
    except FetchError as error:
        raise ReleaseError(str(error)) from None
