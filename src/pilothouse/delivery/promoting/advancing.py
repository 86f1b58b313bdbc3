"""One move of a promotion: from where it is to where it can be now."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.delivery.environments import EnvironmentsError, Strategy
from pilothouse.delivery.environments.changing import change_of
from pilothouse.delivery.forges import ConflictError, MergeError
from pilothouse.delivery.promoting.opening import opened
from pilothouse.delivery.promoting.promotion import Happened, Promotion
from pilothouse.delivery.promoting.shipping import shipped, watched
from pilothouse.delivery.promoting.viewing import view_of
from pilothouse.delivery.promoting.weighing import Decision, View, decide
from pilothouse.delivery.promoting.wording import commit_message
from pilothouse.replacing import replace_file

if TYPE_CHECKING:
    from pilothouse.delivery.environments import Environment
    from pilothouse.delivery.promoting.crew import Crew

log = structlog.get_logger(__name__)


def advance(crew: Crew, promotion: Promotion) -> Promotion:
    """The promotion after one move, or the same when it must wait.

    Every move may be repeated after a crash. Raises `EnvironmentsError`, the forge's errors, and `ConflictError` of the
    store when somebody else moved it.
    """
    environment = crew.environments().named(promotion.environment)
    match promotion.state:
        case "opening":
            return opened(crew, promotion, environment)
        case "open":
            return _looked_at(crew, promotion, environment)
        case "merged":
            return shipped(crew, promotion, environment)
        case "rolling_out":
            return watched(crew, promotion, environment)
        case _:
            return promotion


def _looked_at(crew: Crew, promotion: Promotion, environment: Environment) -> Promotion:
    view = _view(crew, promotion)
    # What takes a bad version back must not wait for somebody to wake up.
    strategy = Strategy.AUTO if promotion.reverts else environment.strategy
    blocked = "" if promotion.reverts else promotion.blocked
    found = decide(strategy, view, environment.checks, blocked)
    match found.move:
        case "merge":
            return _merged(crew, promotion, environment, found, view.head)
        case "merged":
            return _taken_up(crew, promotion)
        case "closed":
            done = replace(promotion, state="closed", reason=found.reason)
            return crew.store.change(done, Happened(time.time(), "closed", found.reason))
        case _:
            return _waiting(crew, promotion, found.reason)


def _view(crew: Crew, promotion: Promotion) -> View:
    if (forge := crew.forge_with(promotion)) is not None:
        return view_of(forge, promotion)
    return View(approvers=(promotion.approved_by,) if promotion.approved_by else ())


def _merged(crew: Crew, promotion: Promotion, environment: Environment, found: Decision, head: str) -> Promotion:
    forge = crew.forge_with(promotion)
    if forge is None:
        commit = ""
        _written(promotion, environment)
    else:
        message = commit_message(promotion)
        try:
            commit = forge.merge(
                promotion.repository, promotion.number, "squash", head, title=promotion.title, message=message
            )
        except (ConflictError, MergeError) as error:
            return _waiting(crew, promotion, f"was not merged: {error}")
    words = f"merged: {found.reason}" + (f" by {found.by}" if found.by else "")
    done = replace(promotion, state="merged", reason="", commit=commit, approved_by=found.by or promotion.approved_by)
    return _cleaned(crew, crew.store.change(done, Happened(time.time(), "merged", words, found.by or "pilothouse")))


def _taken_up(crew: Crew, promotion: Promotion) -> Promotion:
    """Somebody, or the merge pool, has merged it."""
    forge = crew.forge_with(promotion)
    assert forge is not None
    pull = forge.pull_request(promotion.repository, promotion.number)
    done = replace(promotion, state="merged", reason="", commit=pull.merge_sha)
    return _cleaned(crew, crew.store.change(done, Happened(time.time(), "merged", "the pull request was merged")))


def _cleaned(crew: Crew, promotion: Promotion) -> Promotion:
    forge = crew.forge_with(promotion)
    if forge is not None and promotion.branch:
        try:
            forge.delete_branch(promotion.repository, promotion.branch)
        except Exception as error:
            # A branch too many is no reason to stop on the way to production.
            log.warning("a branch was not deleted", branch=promotion.branch, reason=str(error))
    return promotion


def _written(promotion: Promotion, environment: Environment) -> None:
    """Into a directory of this machine, file by file whole."""
    change = change_of(environment, promotion.service, promotion.version)
    for name, text in change.files.items():
        path = Path(environment.source.directory) / name
        try:
            replace_file(path, text)
        except OSError as error:
            raise EnvironmentsError(f"{path}: {error.strerror or error}") from None


def _waiting(crew: Crew, promotion: Promotion, reason: str) -> Promotion:
    if reason == promotion.reason:
        return promotion
    return crew.store.change(replace(promotion, reason=reason), Happened(time.time(), "waiting", reason))
