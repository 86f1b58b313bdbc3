"""The next release, from commits and tags alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pilothouse.delivery.releasing.release import PastCommit, Release, ReleaseError
from pilothouse.delivery.versions import Commit, Version, changelog, next_version, parse_commit
from pilothouse.delivery.versions.next_version import latest

# How forges name the pull request that a commit came with: GitHub's and Forgejo's squash, merges of all four.
_PULL = (
    re.compile(r"\(#(\d+)\)\s*$"),
    re.compile(r"^Merge pull request (?:'.*' )?[(]?#(\d+)"),
    re.compile(r"^See merge request \S*!(\d+)$"),
)
# Commits that a release or a promotion made itself: a release of these would have the next one follow, without end.
_OWN = re.compile(r"(?:chore|release)\((?:promote|release)\)|release\b|chore\(main\): release\b")


def worked_out(
    repository: str,
    service: str,
    commit: str,
    tags: Sequence[str],
    since: Sequence[PastCommit],
    prefix: str = "v",
    wanted: str = "",
) -> Release:
    """The release of a commit. `tags` are those of its past, `since` the commits after the last of them, newest first.

    `wanted` is a version that somebody names instead of the one that follows. Raises `ReleaseError` when nothing has
    changed but what releases and promotions do themselves.
    """
    before = latest(tags, prefix)
    commits = [parse_commit(one.message, one.sha) for one in since]
    told = [one for one, past in zip(commits, since, strict=True) if not _OWN.match(past.message)]
    if not told and not wanted:
        what = f"since {prefix}{before}" if before else "yet"
        raise ReleaseError(f"{repository}: nothing to release {what}")
    version = _named(wanted, before, prefix) if wanted else next_version(before, told)
    pulls = sorted({number for past in since for number in pull_requests(past.message)})
    listed = [one for one in told if not _is_merge(one)]
    changes = changelog(f"{version}", listed or told)
    return Release(
        repository, service, str(version), f"{prefix}{version}", commit, str(before) if before else "", changes,
        tuple(pulls),
    )  # fmt: skip


def since_tag(tags: Sequence[str], prefix: str = "v") -> str:
    """The tag that a release begins after; empty for the first."""
    before = latest(tags, prefix)
    return next((tag for tag in tags if Version.parse(tag.removeprefix(prefix)) == before), "") if before else ""


def pull_requests(message: str) -> list[int]:
    """The pull requests that a commit's message says it came with."""
    lines = message.strip().splitlines()
    found = [pattern.search(line) for line in (lines[:1] + lines[1:][-3:]) for pattern in _PULL]
    return [int(match[1]) for match in found if match]


def _is_merge(commit: Commit) -> bool:
    return not commit.kind and commit.text.startswith(("Merge pull request", "Merge branch", "Merge remote-tracking"))


def _named(wanted: str, before: Version | None, prefix: str) -> Version:
    version = Version.parse(wanted.removeprefix(prefix))
    if version is None:
        raise ReleaseError(f"{wanted!r} is no version; write it as 1.2.3 or 1.2.3-rc.1")
    if before is not None and version <= before:
        raise ReleaseError(f"{version} is not after {before}, the last release")
    return version
