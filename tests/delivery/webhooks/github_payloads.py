"""Webhooks of GitHub in their documented shapes, with data of our own.

Source of the shapes: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from typing import Any

OLD, NEW, BASE = "1" * 40, "2" * 40, "b" * 40
AT = "2026-03-04T05:06:07Z"


def user(login: str, kind: str = "User") -> dict[str, Any]:
    """A user as it stands in all payloads."""
    return {
        "login": login, "id": sum(map(ord, login)), "node_id": "U_1", "type": kind, "site_admin": False,
        "html_url": f"https://github.test/{login}", "avatar_url": f"https://github.test/{login}.png",
    }  # fmt: skip


def repository(full_name: str = "acme/shop") -> dict[str, Any]:
    """A repository."""
    owner, _, name = full_name.partition("/")
    return {
        "id": 7001, "node_id": "R_1", "name": name, "full_name": full_name, "private": False, "owner": user(owner),
        "html_url": f"https://github.test/{full_name}", "description": "A shop", "fork": owner != "acme",
        "default_branch": "main", "archived": False, "pushed_at": AT,
    }  # fmt: skip


def pull(**more: Any) -> dict[str, Any]:
    """A pull request of a fork."""
    return {
        "id": 9001, "node_id": "PR_1", "number": 7, "state": "open", "locked": False, "title": "Faster cart",
        "body": "It was slow.", "user": user("ann"), "labels": [{"id": 1, "name": "size/S", "color": "ededed"}],
        "milestone": {"number": 1, "title": "v1.0"}, "draft": False, "merged": False, "mergeable": None,
        "merge_commit_sha": "f" * 40, "assignees": [user("bob")], "requested_reviewers": [user("mia")],
        "requested_teams": [], "created_at": AT, "updated_at": "2026-03-04T05:07:07Z", "closed_at": None,
        "merged_at": None, "html_url": "https://github.test/acme/shop/pull/7",
        "head": {"label": "ann:cart", "ref": "cart", "sha": NEW, "user": user("ann"), "repo": repository("ann/shop")},
        "base": {"label": "acme:main", "ref": "main", "sha": BASE, "user": user("acme"), "repo": repository()},
        **more,
    }  # fmt: skip


def whole(sender: str = "ann", **more: Any) -> dict[str, Any]:
    """What all payloads have."""
    return {"repository": repository(), "organization": {"login": "acme", "id": 5}, "sender": user(sender),
            "installation": {"id": 33, "node_id": "I_1"}} | more  # fmt: skip


def of_pull(action: str, sender: str = "ann", changed: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A `pull_request` event."""
    return whole(sender, action=action, number=7, pull_request=pull(**(changed or {})), **more)


def comment(body: str, login: str = "bob", kind: str = "User") -> dict[str, Any]:
    """A comment."""
    return {"id": 501, "node_id": "IC_1", "user": user(login, kind), "body": body, "created_at": AT, "updated_at": AT,
            "html_url": "https://github.test/acme/shop/pull/7#issuecomment-501"}  # fmt: skip


def of_comment(action: str, body: str, login: str = "bob", kind: str = "User", **issue: Any) -> dict[str, Any]:
    """An `issue_comment` event on a pull request."""
    about = {"number": 7, "title": "Faster cart", "user": user("ann"), "state": "open", "labels": [],
             "pull_request": {"url": "https://api.github.test/repos/acme/shop/pulls/7"}} | issue  # fmt: skip
    return whole(login, action=action, issue=about, comment=comment(body, login, kind)) | {"sender": user(login, kind)}


def of_review(action: str, state: str, body: str | None = "") -> dict[str, Any]:
    """A `pull_request_review` event."""
    review = {"id": 601, "user": user("bob"), "body": body, "state": state, "commit_id": NEW, "submitted_at": AT,
              "html_url": "https://github.test/acme/shop/pull/7#pullrequestreview-601"}  # fmt: skip
    return whole("bob", action=action, review=review, pull_request=pull())


def push(ref: str = "refs/heads/main", before: str = OLD, after: str = NEW, **more: Any) -> dict[str, Any]:
    """A `push` event."""
    head = {"id": after, "message": "Faster cart", "timestamp": "2026-03-04T06:06:07+01:00", "added": [],
            "author": {"name": "Ann", "email": "ann@acme.test", "username": "ann"}, "removed": [],
            "modified": ["cart.py"]}  # fmt: skip
    gone = set(after) == {"0"}
    return whole(ref=ref, before=before, after=after, created=set(before) == {"0"}, deleted=gone, forced=False,
                 compare="https://github.test/compare", commits=[] if gone else [head], pusher={"name": "ann"},
                 head_commit=None if gone else head) | more  # fmt: skip


STATUS = whole(
    id=801, sha=NEW, name="acme/shop", target_url="https://ci.test/1", context="ci/other", description="It went well",
    state="success", commit={"sha": NEW}, branches=[{"name": "cart"}], created_at=AT, updated_at=AT,
)  # fmt: skip


def check(action: str, status: str, conclusion: str | None) -> dict[str, Any]:
    """A `check_run` event."""
    return whole(action=action, check_run={
        "id": 901, "name": "lint", "head_sha": NEW, "status": status, "conclusion": conclusion, "started_at": AT,
        "completed_at": AT if conclusion else None, "details_url": "https://ci.test/2",
        "output": {"title": "2 warnings", "summary": None, "text": None}, "app": {"slug": "linter"},
    })  # fmt: skip


def release(action: str) -> dict[str, Any]:
    """A `release` event."""
    return whole(action=action, release={
        "id": 1001, "tag_name": "v1.2.0", "name": "1.2.0", "body": "Faster", "draft": False, "prerelease": False,
        "created_at": AT, "published_at": AT, "html_url": "https://github.test/acme/shop/releases/v1.2.0",
    })  # fmt: skip


PING = {"zen": "Small is fine.", "hook_id": 3, "hook": {"type": "Repository", "events": ["push"]}, **whole()}
