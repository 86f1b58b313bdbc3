"""Forgejo's and Gitea's JSON as a forge's values: GitHub's, but for drafts, reviews and statuses.

Source: the API's own description (`/swagger.v1.json` of an installation; Gitea's `modules/structs`).
"""

from __future__ import annotations

import re
from dataclasses import replace

from pilothouse.delivery.forges.github import shapes as github
from pilothouse.delivery.forges.model import Comment, PullRequest, Review, ReviewState, Status, StatusState
from pilothouse.delivery.forges.remote.reading import Node, ShapeError

changed_file, comment, commit, permission = github.changed_file, github.comment, github.commit, github.permission
published, repository, user = github.published, github.repository, github.user

# The prefixes that an installation has when nobody configures others.
_DRAFT = re.compile(r"(?i)^\s*(?:WIP:|\[WIP\])\s*")
_STATES: dict[str, StatusState] = {
    "pending": "pending", "success": "success", "error": "error", "failure": "failure", "warning": "success",
    "skipped": "success",
}  # fmt: skip
_REVIEWS: dict[str, ReviewState] = {
    "APPROVED": "approved", "REQUEST_CHANGES": "changes_requested", "COMMENT": "commented",
}  # fmt: skip


def says_draft(title: str) -> bool:
    """Whether a title says that it is a draft."""
    return bool(_DRAFT.match(title))


def plain_title(title: str) -> str:
    """A title without what makes it a draft."""
    return _DRAFT.sub("", title)


def pull_request(node: Node, base_sha: str = "") -> PullRequest:
    """A pull request. A draft is one by its title, which is told here without what makes it so."""
    pull = github.pull_request(node, base_sha)
    return replace(pull, draft=pull.draft or says_draft(pull.title), title=plain_title(pull.title))


def review(node: Node) -> Review | None:
    """A review; None for one that is pending or asks somebody for a review."""
    state = _REVIEWS.get(node.text("state"))
    if state is None:
        return None
    if node.flag("dismissed", False):
        state = "dismissed"
    return Review(
        github.login(node), state, node.text("body", ""), node.moment("submitted_at"), node.text("commit_id", ""),
        str(node.number("id")), node.text("html_url", ""),
    )  # fmt: skip


def line_comment(node: Node) -> Comment:
    """A comment of a review on a line; `position` is the line on the new side, 0 for one that is gone."""
    return Comment(
        github.login(node), node.text("body", ""), node.moment("created_at"), github.is_bot(node.maybe("user")),
        f"line-{node.number('id')}", node.text("html_url", ""), node.text("path", ""),
        node.number("position", 0) or node.number("original_position", 0),
    )  # fmt: skip


def status(node: Node) -> Status:
    """A commit status; lists call its state `status`, webhooks `state`."""
    state = node.text("status", "") or node.text("state")
    if state not in _STATES:
        raise ShapeError(f"{node.at('status')}: {state[:40]!r} is none of {', '.join(_STATES)}")
    at = node.moment("updated_at") or node.moment("created_at")
    return Status(
        _STATES[state], node.text("description", ""), node.text("context", "default"), node.text("target_url", ""), at
    )
