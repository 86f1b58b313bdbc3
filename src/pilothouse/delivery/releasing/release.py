"""The noun: a version of a service, made from a commit."""

from __future__ import annotations

from dataclasses import dataclass


class ReleaseError(Exception):
    """There is nothing to release, or it cannot be; the message says why."""


@dataclass(frozen=True, slots=True)
class PastCommit:
    """A commit with its whole message, as git has it."""

    sha: str
    message: str


@dataclass(frozen=True, slots=True)
class Release:
    """`version` of `service` at `commit` of `repository` on `forge`; `before` is the version before it, if any.

    `changes` is the changelog's section as Markdown, `pulls` the pull requests in it, oldest first.
    """

    repository: str
    service: str
    version: str
    tag: str
    commit: str
    before: str = ""
    changes: str = ""
    pulls: tuple[int, ...] = ()
    forge: str = ""
