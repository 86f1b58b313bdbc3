"""From a promotion that was asked for to its pull request."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.delivery.environments.changing import change_of
from pilothouse.delivery.promoting.promotion import Happened, Promotion
from pilothouse.delivery.promoting.wording import commit_message, description

if TYPE_CHECKING:
    from pilothouse.delivery.environments import Environment
    from pilothouse.delivery.environments.changing import Change
    from pilothouse.delivery.forges import Forge
    from pilothouse.delivery.promoting.crew import Crew

HAZARDS = "pilothouse/hazards"
LABEL = "promotion"


def opened(crew: Crew, promotion: Promotion, environment: Environment) -> Promotion:
    """Open its pull request. May be repeated after a crash: branch, commit and pull request are the same again."""
    forge = crew.forge_of(environment)
    change = change_of(environment, promotion.service, promotion.version, forge)
    blocked = change.hazards.summary if change.hazards.blocking() else ""
    told = replace(promotion, before=promotion.before or change.before, blocked=blocked)
    if not change.files:
        done = replace(told, state="deployed", reason="the files declare this version already")
        return crew.store.change(done, Happened(time.time(), "deployed", done.reason))
    if forge is None:
        reason = f"is to be written to {environment.source}"
        waits = crew.store.change(replace(told, state="open", reason=reason), _event("opened", reason))
        _supersede(crew, waits)
        return waits
    asked = _asked(forge, told, environment, change)
    made = crew.store.change(asked, _event("opened", f"opened {asked.url or f'pull request {asked.number}'}"))
    _supersede(crew, made)
    return made


def _asked(forge: Forge, promotion: Promotion, environment: Environment, change: Change) -> Promotion:
    repository = environment.source.repository
    branch = branch_of(promotion)
    files = {path: text.encode() for path, text in change.files.items()}
    head = forge.commit_files(repository, branch, commit_message(promotion), files, start=change.branch)
    text = description(promotion, environment, change)
    pull = forge.create_pull_request(repository, branch, change.branch, promotion.title, text)
    forge.add_labels(repository, pull.number, {LABEL, f"env/{environment.name}"})
    _report(forge, repository, head, change)
    return replace(
        promotion, state="open", reason="", repository=repository, branch=branch, number=pull.number, url=pull.url,
        head=head, forge=forge.name,
    )  # fmt: skip


def branch_of(promotion: Promotion) -> str:
    """The branch of a promotion's pull request; its number keeps two apart that want the same."""
    words = f"{promotion.service}-{promotion.version}"
    return f"promote/{promotion.environment}/{re.sub(r'[^A-Za-z0-9._-]+', '-', words)[:80].strip('.-')}-{promotion.id}"


def _report(forge: Forge, repository: str, head: str, change: Change) -> None:
    from pilothouse.delivery.forges import Status

    # A hazard is said, and weighed by the strategy; as a failed check it could not be overruled by an approval.
    said = change.hazards.summary
    if change.problems:
        said = f"{said}; not all was rendered"
    forge.set_status(repository, head, Status("success", said[:140], HAZARDS))


def _supersede(crew: Crew, promotion: Promotion) -> None:
    """Close what waits for the same service in the same environment: this version is wanted now."""
    for one in crew.store.all(promotion.service, promotion.environment, ongoing=True):
        if one.id >= promotion.id or one.state not in ("opening", "open"):
            continue
        words = f"{promotion.title} has taken its place (promotion {promotion.id})"
        if (forge := crew.forge_with(one)) is not None:
            forge.add_comment(one.repository, one.number, f"Closed: {words}.", key="superseded")
            forge.close(one.repository, one.number)
            forge.delete_branch(one.repository, one.branch)
        crew.store.change(replace(one, state="superseded", reason=words), _event("superseded", words))


def _event(kind: str, words: str) -> Happened:
    return Happened(time.time(), kind, words)
