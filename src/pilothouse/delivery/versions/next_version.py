"""Semantic versions, and which is next: breaking changes are major, features minor, all else a patch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering

from pilothouse.delivery.versions.commits import Commit

_FORM = re.compile(
    r"(?P<prefix>[A-Za-z-]*)(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+(?P<build>[0-9A-Za-z.-]+))?"
)


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version by Semantic Versioning 2.0; compared as its section 11 says."""

    major: int = 0
    minor: int = 0
    patch: int = 0
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """From `1.2.3`, `v1.2.3` or `v1.2.3-rc.1`; None when it is none."""
        found = _FORM.fullmatch(text.strip())
        if not found:
            return None
        return cls(int(found["major"]), int(found["minor"]), int(found["patch"]), found["pre"] or "")

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}{'-' + self.pre if self.pre else ''}"

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[int, int, int, bool, list[tuple[bool, int, str]]]:
        parts = [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in self.pre.split(".") if part]
        return self.major, self.minor, self.patch, not self.pre, parts


def latest(tags: Iterable[str], prefix: str = "v") -> Version | None:
    """The highest version among a repository's tags that has no pre-release part."""
    found = [Version.parse(tag.removeprefix(prefix)) for tag in tags if tag.startswith(prefix)]
    return max((version for version in found if version is not None and not version.pre), default=None)


def next_version(before: Version | None, commits: Iterable[Commit]) -> Version:
    """The version after `before` (0.0.0 when there is none), as jx-release-version decides it.

    A commit of whatever kind is at least a patch; what breaks is a major version also before 1.0.0.
    """
    last, found = before or Version(), list(commits)
    if any(commit.breaking for commit in found):
        return Version(last.major + 1)
    if any(commit.kind == "feat" for commit in found):
        return Version(last.major, last.minor + 1)
    return Version(last.major, last.minor, last.patch + 1)
