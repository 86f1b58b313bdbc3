"""GitHub's JSON, of its REST API and its webhooks, as a forge's values.

Shapes: https://docs.github.com/rest and https://docs.github.com/webhooks/webhook-events-and-payloads. Forgejo and Gitea
follow most of them.
"""

from __future__ import annotations

from typing import get_args

from pilothouse.delivery.forges.model import (
    BranchTip,
    ChangedFile,
    Comment,
    Commit,
    FileChange,
    Permission,
    Published,
    PullRequest,
    PullState,
    Repository,
    Review,
    ReviewState,
    Status,
    StatusState,
    User,
)
from pilothouse.delivery.forges.remote.reading import Node, ShapeError

# Whose account is gone is shown as this user.
GHOST = "ghost"
_CONCLUSIONS: dict[str, StatusState] = {
    "success": "success", "neutral": "success", "skipped": "success", "failure": "failure", "timed_out": "failure",
    "action_required": "failure", "cancelled": "error", "stale": "error", "startup_failure": "error",
}  # fmt: skip
_REVIEWS: dict[str, ReviewState] = {
    "approved": "approved", "changes_requested": "changes_requested", "commented": "commented",
    "dismissed": "dismissed",
}  # fmt: skip


def user(node: Node) -> User:
    """A user; Apps and bots say what they are."""
    login = node.text("login")
    return User(login, node.text("name", ""), node.text("email", ""), is_bot(node))


def is_bot(node: Node | None) -> bool:
    """Whether a user is a program."""
    return node is not None and (node.text("type", "") == "Bot" or node.text("login", "").endswith("[bot]"))


def login(node: Node, name: str = "user") -> str:
    """A user's login; a user that is gone is a ghost."""
    found = node.maybe(name)
    return found.text("login") if found else GHOST


def repository(node: Node) -> Repository:
    """A repository."""
    parent = node.maybe("parent")
    return Repository(
        node.text("full_name"), node.text("default_branch", "main"), node.text("description", ""),
        node.flag("private", False), node.flag("archived", False), parent.text("full_name") if parent else "",
        node.text("html_url", ""),
    )  # fmt: skip


def pull_request(node: Node, base_sha: str = "") -> PullRequest:
    """A pull request; `base_sha` is the tip of its base branch when it was asked for."""
    base, milestone = _tip(node.node("base")), node.maybe("milestone")
    if not base.repository:
        raise ShapeError(f"{node.at('base.repo')}: must be an object, is missing")
    return PullRequest(
        repository=base.repository,
        number=node.number("number"),
        title=node.text("title"),
        author=login(node),
        head=_tip(node.node("head")),
        base=BranchTip(base.repository, base.ref, base_sha or base.sha),
        body=node.text("body", ""),
        state=_state(node),
        draft=node.flag("draft", False),
        labels=frozenset(node.texts("labels", "name")),
        assignees=frozenset(node.texts("assignees", "login")),
        # A team may stand among them: it has no login.
        requested_reviewers=frozenset(one.text("login") for one in node.nodes("requested_reviewers") if "login" in one),
        milestone=milestone.text("title") if milestone else "",
        mergeable=node.flag("mergeable") if "mergeable" in node else None,
        merge_sha=node.text("merge_commit_sha", "") if _state(node) == "merged" else "",
        created=node.moment("created_at"),
        updated=node.moment("updated_at"),
        url=node.text("html_url", ""),
    )


def comment(node: Node, prefix: str = "") -> Comment:
    """A comment; `prefix` tells comments on lines from those on the whole."""
    return Comment(
        login(node), node.text("body", ""), node.moment("created_at"), is_bot(node.maybe("user")),
        f"{prefix}{node.number('id')}", node.text("html_url", ""), node.text("path", ""),
        node.number("line", 0) or node.number("original_line", 0),
    )  # fmt: skip


def review(node: Node) -> Review | None:
    """A review; None for one that is not yet submitted."""
    state = _REVIEWS.get(node.text("state").lower())
    if state is None:
        return None
    return Review(
        login(node), state, node.text("body", ""), node.moment("submitted_at"), node.text("commit_id", ""),
        str(node.number("id")), node.text("html_url", ""),
    )  # fmt: skip


def changed_file(node: Node) -> ChangedFile:
    """A file of a change."""
    # GitHub says removed, Forgejo deleted.
    change: dict[str, FileChange] = {
        "added": "added", "copied": "added", "removed": "removed", "deleted": "removed", "renamed": "renamed",
    }  # fmt: skip
    return ChangedFile(
        node.text("filename"), node.number("additions", 0), node.number("deletions", 0),
        change.get(node.text("status", ""), "modified"), node.text("previous_filename", ""), node.text("patch", ""),
    )  # fmt: skip


def status(node: Node) -> Status:
    """A commit status."""
    state = node.text("state")
    if state not in get_args(StatusState):
        raise ShapeError(f"{node.at('state')}: {state[:40]!r} is none of {', '.join(get_args(StatusState))}")
    at = node.moment("updated_at") or node.moment("created_at")
    return Status(
        state,  # type: ignore[arg-type]
        node.text("description", ""), node.text("context", "default"), node.text("target_url", ""), at,
    )  # fmt: skip


def check_run(node: Node) -> Status:
    """A check of the Checks API, as a status: one that has not ended is pending."""
    state: StatusState = "pending"
    if node.text("status") == "completed":
        state = _CONCLUSIONS.get(node.text("conclusion", ""), "error")
    output = node.maybe("output")
    words = output.text("title", "") if output else ""
    at = node.moment("completed_at") or node.moment("started_at")
    return Status(state, words, node.text("name"), node.text("details_url", ""), at)


def commit(node: Node) -> Commit:
    """A commit."""
    inner = node.node("commit")
    author, account = inner.maybe("author"), node.maybe("author")
    return Commit(
        node.text("sha"), inner.text("message"), author.text("name", "") if author else "",
        author.text("email", "") if author else "", account.text("login", "") if account else "",
        author.moment("date") if author else 0.0, node.texts("parents", "sha"),
    )  # fmt: skip


def published(node: Node) -> Published:
    """A release."""
    return Published(
        node.text("tag_name"), node.text("name", ""), node.text("body", ""), node.flag("prerelease", False),
        node.text("html_url", ""),
    )  # fmt: skip


def permission(node: Node) -> Permission:
    """What somebody may do, from a role's name and a coarse permission."""
    roles: dict[str, Permission] = {
        "admin": "admin", "owner": "admin", "maintain": "write", "write": "write", "triage": "triage", "read": "read",
    }  # fmt: skip
    coarse = roles.get(node.text("permission", ""), "none")
    return roles.get(node.text("role_name", ""), coarse)


def _tip(node: Node) -> BranchTip:
    repository = node.maybe("repo")
    return BranchTip(repository.text("full_name") if repository else "", node.text("ref"), node.text("sha"))


def _state(node: Node) -> PullState:
    state = node.text("state")
    if state not in ("open", "closed"):
        raise ShapeError(f"{node.at('state')}: {state[:40]!r} is neither open nor closed")
    if node.flag("merged", False) or node.text("merged_at", ""):
        return "merged"
    return "open" if state == "open" else "closed"
