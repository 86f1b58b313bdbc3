"""Repositories and people of the built-in forge as the API's JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pilothouse.delivery.forges.model import Repository, User

if TYPE_CHECKING:
    from pilothouse.delivery.forges.local.forge import LocalForge


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
