"""Pull requests of any forge as JSON: times as RFC 3339, sets as sorted lists."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.delivery.forges.interface import ReadingForge
    from pilothouse.delivery.forges.model import Comment, PullRequest, Review

_MOST_FILES = 1_000


def pull_json(pull: PullRequest) -> dict[str, Any]:
    """A pull request without its discussion."""
    lists = {name: sorted(getattr(pull, name)) for name in ("labels", "assignees", "requested_reviewers")}
    return asdict(pull) | lists | {"created": _time(pull.created), "updated": _time(pull.updated)}


def whole_pull(forge: ReadingForge, repository: str, number: int) -> dict[str, Any]:
    """A pull request with files, commits, discussion and statuses."""
    pull = forge.pull_request(repository, number)
    files = forge.files(repository, number)
    return pull_json(pull) | {
        "files": [asdict(one) for one in files[:_MOST_FILES]],
        "files_left_out": max(0, len(files) - _MOST_FILES),
        "commits": [asdict(one) | {"at": _time(one.at)} for one in forge.commits(repository, number)],
        "comments": [said_json(one) for one in forge.comments(repository, number)],
        "reviews": [said_json(one) for one in forge.reviews(repository, number)],
        "statuses": [asdict(one) | {"at": _time(one.at)} for one in forge.statuses(repository, pull.head.sha).values()],
    }


def said_json(said: Comment | Review) -> dict[str, Any]:
    """A comment or a review."""
    return asdict(said) | {"at": _time(said.at)}


def _time(seconds: float) -> str:
    return to_rfc3339(int(seconds * 1e9))
