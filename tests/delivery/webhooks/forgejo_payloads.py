"""Webhooks of Forgejo and Gitea in their documented shapes, with data of our own.

Source of the shapes: https://forgejo.org/docs/latest/user/webhooks/ and Gitea's `modules/structs/hook.go`.
"""

from __future__ import annotations

from typing import Any

OLD, NEW, BASE = "1" * 40, "2" * 40, "b" * 40
AT = "2026-03-04T06:06:07+01:00"


def user(login: str) -> dict[str, Any]:
    """A user as it stands in all payloads."""
    return {"id": sum(map(ord, login)), "login": login, "login_name": "", "full_name": login.title(),
            "email": f"{login}@noreply.forgejo.test", "username": login, "is_admin": False}  # fmt: skip


def repository(full_name: str = "acme/shop") -> dict[str, Any]:
    """A repository."""
    owner, _, name = full_name.partition("/")
    return {"id": 71, "owner": user(owner), "name": name, "full_name": full_name, "description": "", "private": False,
            "fork": owner != "acme", "parent": None, "default_branch": "main", "archived": False,
            "html_url": f"https://forgejo.test/{full_name}"}  # fmt: skip


def pull(**more: Any) -> dict[str, Any]:
    """A pull request of a fork."""
    return {
        "id": 91, "number": 7, "user": user("ann"), "title": "Faster cart", "body": "It was slow.", "state": "open",
        "labels": [{"id": 1, "name": "size/S", "color": "ededed"}], "milestone": None, "assignee": None,
        "assignees": None, "requested_reviewers": [user("mia")], "draft": False, "is_locked": False,
        "mergeable": True, "merged": False, "merged_at": None, "merge_commit_sha": None, "merge_base": BASE,
        "html_url": "https://forgejo.test/acme/shop/pulls/7", "created_at": AT, "updated_at": AT, "closed_at": None,
        "head": {"label": "cart", "ref": "cart", "sha": NEW, "repo_id": 72, "repo": repository("ann/shop")},
        "base": {"label": "main", "ref": "main", "sha": BASE, "repo_id": 71, "repo": repository()}, **more,
    }  # fmt: skip


def whole(sender: str = "ann", **more: Any) -> dict[str, Any]:
    """What all payloads have."""
    return {"repository": repository(), "sender": user(sender)} | more


def of_pull(action: str, sender: str = "ann", changed: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A `pull_request` event."""
    return whole(sender, action=action, number=7, pull_request=pull(**(changed or {})), requested_reviewer=None,
                 commit_id="", review=None) | more  # fmt: skip


def comment(action: str, body: str, is_pull: bool = True) -> dict[str, Any]:
    """An `issue_comment` event."""
    return whole("bob", action=action, is_pull=is_pull, issue={
        "id": 91, "number": 7, "title": "Faster cart", "user": user("ann"), "state": "open",
        "pull_request": {"merged": False, "merged_at": None} if is_pull else None,
    }, comment={"id": 501, "user": user("bob"), "body": body, "created_at": AT, "updated_at": AT,
                "html_url": "https://forgejo.test/acme/shop/pulls/7#issuecomment-501"})  # fmt: skip


def review(kind: str, content: str) -> dict[str, Any]:
    """A review: `pull_request_review_approved`, `..._rejected`, `..._comment`."""
    return of_pull("reviewed", "bob", review={"type": kind, "content": content})


def push(ref: str = "refs/heads/main", before: str = OLD, after: str = NEW) -> dict[str, Any]:
    """A `push` event."""
    head = {"id": after, "message": "Faster cart", "timestamp": AT, "author": {"name": "Ann", "username": "ann"}}
    return whole(ref=ref, before=before, after=after, compare_url="", commits=[head], total_commits=1,
                 head_commit=head, pusher=user("ann"))  # fmt: skip


STATUS = whole(
    id=801, sha=NEW, context="ci/other", description="It went well", state="success", target_url="https://ci.test/1",
    created_at=AT, updated_at=AT, commit={"id": NEW},
)  # fmt: skip


def release(action: str) -> dict[str, Any]:
    """A `release` event."""
    return whole(action=action, release={"id": 1, "tag_name": "v1.2.0", "name": "1.2.0", "body": "", "draft": False,
                                         "prerelease": False, "created_at": AT, "published_at": AT})  # fmt: skip
