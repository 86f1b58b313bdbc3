"""A promotion's pull request as it is on the forge now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.delivery.forges import PERMISSIONS
from pilothouse.delivery.promoting.weighing import View

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Forge
    from pilothouse.delivery.promoting.promotion import Promotion

_MAY_APPROVE = PERMISSIONS.index("write")


def view_of(forge: Forge, promotion: Promotion) -> View:
    """What decides about it. An approval counts when it is of the commit at hand, by somebody who may write, and not
    by whoever asked for the promotion.
    """
    repository, number = promotion.repository, promotion.number
    pull = forge.pull_request(repository, number)
    if pull.state != "open":
        return View(pull.state)
    last: dict[str, str] = {}
    for review in forge.reviews(repository, number):
        if review.state == "commented":
            continue
        stale = review.state == "approved" and review.commit not in ("", pull.head.sha)
        last[review.author.lower()] = "dismissed" if stale else review.state
    mine = {forge.me.login.lower(), promotion.by.lower()}
    counting = [
        login
        for login, state in last.items()
        if login not in mine
        and state in ("approved", "changes_requested")
        and PERMISSIONS.index(forge.permission(repository, login)) >= _MAY_APPROVE
    ]
    statuses = {name: status.state for name, status in forge.statuses(repository, pull.head.sha).items()}
    return View(
        "open",
        statuses,
        pull.labels,
        tuple(login for login in counting if last[login] == "approved"),
        tuple(login for login in counting if last[login] == "changes_requested"),
        pull.draft,
        pull.mergeable,
        pull.head.sha,
        pull.head.sha != promotion.head,
    )
