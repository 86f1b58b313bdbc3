"""GitLab's JSON, of its REST API (v4), as a forge's values.

Source: https://docs.gitlab.com/api/rest/: merge_requests, notes, commits, merge_request_approvals, members.
"""

from __future__ import annotations

import re

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
    Status,
    StatusState,
    User,
)
from pilothouse.delivery.forges.remote.reading import Node, ShapeError

_DRAFT = re.compile(r"(?i)^\s*(?:draft:|\[draft\]|\(draft\))\s*")
# Users of access tokens: https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects
_BOT = re.compile(r"^(?:project|group)_\d+_bot|^(?:service_account_|ghost$|GitLab-)|-bot$")
_STATES: dict[str, StatusState] = {
    "success": "success", "failed": "failure", "canceled": "error", "canceling": "error", "skipped": "success",
    "created": "pending", "waiting_for_resource": "pending", "preparing": "pending", "pending": "pending",
    "running": "pending", "manual": "pending", "scheduled": "pending",
}  # fmt: skip
STATUS_NAMES: dict[StatusState, str] = {
    "pending": "pending", "success": "success", "failure": "failed", "error": "canceled",
}  # fmt: skip
_PULL_STATES: dict[str, PullState] = {
    "opened": "open", "locked": "open", "closed": "closed", "merged": "merged",
}  # fmt: skip
# The least access level of each permission: https://docs.gitlab.com/api/members/#roles
_LEVELS: tuple[tuple[int, Permission], ...] = ((50, "admin"), (40, "admin"), (30, "write"), (20, "triage"),
                                              (10, "read"))  # fmt: skip
_UNKNOWN_MERGEABLE = ("unchecked", "checking", "cannot_be_merged_recheck", "preparing", "approvals_syncing")


def user(node: Node) -> User:
    """A user; only `/user` says whether it is a bot, elsewhere the name does."""
    login = node.text("username")
    bot = node.flag("bot", False) or is_bot(login)
    return User(login, node.text("name", ""), node.text("email", ""), bot)


def is_bot(login: str) -> bool:
    """Whether a login is that of an access token's user."""
    return bool(_BOT.search(login))


def says_draft(title: str) -> bool:
    """Whether a title says that it is a draft."""
    return bool(_DRAFT.match(title))


def plain_title(title: str) -> str:
    """A title without what makes it a draft."""
    return _DRAFT.sub("", title)


def repository(node: Node) -> Repository:
    """A project."""
    parent = node.maybe("forked_from_project")
    return Repository(
        node.text("path_with_namespace"), node.text("default_branch", "main"), node.text("description", ""),
        node.text("visibility", "private") != "public", node.flag("archived", False),
        parent.text("path_with_namespace") if parent else "", node.text("web_url", ""),
    )  # fmt: skip


def pull_request(node: Node, base: BranchTip, head_repository: str) -> PullRequest:
    """A merge request; whose project the source branch is of, it says only as a number."""
    milestone = node.maybe("milestone")
    state = node.text("state")
    if state not in _PULL_STATES:
        raise ShapeError(f"{node.at('state')}: {state[:40]!r} is none of {', '.join(_PULL_STATES)}")
    merged = _PULL_STATES[state] == "merged"
    title = node.text("title")
    return PullRequest(
        repository=base.repository,
        number=node.number("iid"),
        title=plain_title(title),
        author=node.node("author").text("username"),
        head=BranchTip(head_repository, node.text("source_branch"), node.text("sha", "")),
        base=base,
        body=node.text("description", ""),
        state=_PULL_STATES[state],
        draft=node.flag("draft", says_draft(title)),
        labels=frozenset(str(label) for label in node.items("labels")),
        assignees=frozenset(node.texts("assignees", "username")),
        requested_reviewers=frozenset(node.texts("reviewers", "username")),
        milestone=milestone.text("title") if milestone else "",
        mergeable=_mergeable(node),
        merge_sha=(node.text("merge_commit_sha", "") or node.text("squash_commit_sha", "")) if merged else "",
        created=node.moment("created_at"),
        updated=node.moment("updated_at"),
        url=node.text("web_url", ""),
    )


def comment(node: Node) -> Comment:
    """A note."""
    author = node.node("author").text("username")
    place = node.maybe("position")
    path, line = (place.text("new_path", ""), place.number("new_line", 0)) if place else ("", 0)
    return Comment(
        author, node.text("body", ""), node.moment("created_at"), is_bot(author), str(node.number("id")), "", path, line
    )


def changed_file(node: Node) -> ChangedFile:
    """A file of a difference; the lines are counted, GitLab does not say their numbers."""
    change: FileChange = "modified"
    for flag, name in (("new_file", "added"), ("deleted_file", "removed"), ("renamed_file", "renamed")):
        if node.flag(flag, False):
            change = name  # type: ignore[assignment]
    path, old, patch = node.text("new_path"), node.text("old_path", ""), node.text("diff", "")
    lines = patch.split("\n")
    return ChangedFile(
        old if change == "removed" and old else path, sum(line.startswith("+") for line in lines),
        sum(line.startswith("-") for line in lines), change, old if change == "renamed" else "", patch,
    )  # fmt: skip


def status(node: Node) -> Status:
    """A commit status, of a job or of somebody's own."""
    state = node.text("status")
    if state not in _STATES:
        raise ShapeError(f"{node.at('status')}: {state[:40]!r} is none of {', '.join(_STATES)}")
    at = node.moment("finished_at") or node.moment("started_at") or node.moment("created_at")
    return Status(
        _STATES[state], node.text("description", ""), node.text("name", "default"), node.text("target_url", ""), at
    )


def state_of(name: str) -> StatusState:
    """A pipeline's state as a status'."""
    return _STATES.get(name, "pending")


def commit(node: Node) -> Commit:
    """A commit; GitLab does not say which user wrote it."""
    return Commit(
        node.text("id"), node.text("message"), node.text("author_name", ""), node.text("author_email", ""), "",
        node.moment("authored_date"), tuple(str(one) for one in node.items("parent_ids")),
    )  # fmt: skip


def published(node: Node) -> Published:
    """A release."""
    links = node.maybe("_links")
    return Published(
        node.text("tag_name"), node.text("name", ""), node.text("description", ""), False,
        links.text("self", "") if links else "",
    )  # fmt: skip


def permission(level: int) -> Permission:
    """What an access level allows. Maintainers (40) may do what a repository's settings need."""
    return next((name for least, name in _LEVELS if level >= least), "none")


def _mergeable(node: Node) -> bool | None:
    """Whether it merges without conflicts; nothing else that a project may ask for counts here."""
    if node.flag("has_conflicts", False):
        return False
    detailed = node.text("detailed_merge_status", "") or node.text("merge_status", "")
    if not detailed or detailed in _UNKNOWN_MERGEABLE:
        return None
    return detailed not in ("conflict", "broken_status", "cannot_be_merged")
