"""Repositories and pull requests as the API's JSON: times as RFC 3339, sets as sorted lists."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pilothouse.delivery.forges.model import Comment, PullRequest, Repository, Review, User
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.delivery.forges.local.forge import LocalForge

_MOST_FILES = 1_000


def user_json(user: User) -> dict[str, Any]:
    """A user, without his address: that is between him and his commits."""
    return {"login": user.login, "name": user.name, "is_bot": user.is_bot}


def repository_json(forge: LocalForge, repository: Repository) -> dict[str, Any]:
    """A repository with where to clone it from."""
    found = {name: value for name, value in asdict(repository).items() if name != "full_name"}
    return (
        {"name": repository.full_name}
        | found
        | {
            "clone_url": forge.clone_url(repository.full_name),
            "open_pulls": len(forge.pull_requests(repository.full_name)),
        }
    )


def pull_json(pull: PullRequest) -> dict[str, Any]:
    """A pull request without its discussion."""
    lists = {name: sorted(getattr(pull, name)) for name in ("labels", "assignees", "requested_reviewers")}
    return asdict(pull) | lists | {"created": _time(pull.created), "updated": _time(pull.updated)}


def whole_pull(forge: LocalForge, repository: str, number: int) -> dict[str, Any]:
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
