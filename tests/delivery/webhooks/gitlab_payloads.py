"""Webhooks of GitLab in their documented shapes, with data of our own.

Source of the shapes: https://docs.gitlab.com/user/project/integrations/webhook_events/
"""

from __future__ import annotations

from typing import Any

OLD, NEW = "1" * 40, "2" * 40
AT = "2026-03-04 05:06:07 UTC"


def user(login: str) -> dict[str, Any]:
    """A user as it stands in all payloads."""
    return {"id": sum(map(ord, login)), "name": login.title(), "username": login, "avatar_url": None,
            "email": "[REDACTED]"}  # fmt: skip


def project(path: str = "acme/web/shop") -> dict[str, Any]:
    """A project."""
    return {
        "id": 41, "name": "Shop", "description": "A shop", "web_url": f"https://gitlab.test/{path}",
        "git_http_url": f"https://gitlab.test/{path}.git", "namespace": "Web", "visibility_level": 0,
        "path_with_namespace": path, "default_branch": "main",
    }  # fmt: skip


def whole(kind: str, sender: str = "ann", **more: Any) -> dict[str, Any]:
    """What all payloads have."""
    return {"object_kind": kind, "event_type": kind, "user": user(sender), "project": project(),
            "repository": {"name": "Shop", "homepage": "https://gitlab.test/acme/web/shop"}} | more  # fmt: skip


def merge_request(
    action: str, sender: str = "ann", changes: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A Merge Request Hook."""
    about = {
        "id": 93, "iid": 7, "title": "Faster cart", "description": "It was slow.", "state": "opened",
        "author_id": user("ann")["id"], "assignee_ids": [user("bob")["id"]], "reviewer_ids": [user("mia")["id"]],
        "source_branch": "cart", "target_branch": "main", "source_project_id": 42, "target_project_id": 41,
        "source": project("ann/shop"), "target": project(), "created_at": AT, "updated_at": "2026-03-04 05:07:07 UTC",
        "last_commit": {"id": NEW, "message": "Faster cart", "timestamp": "2026-03-04T05:06:07+00:00"},
        "merge_status": "unchecked", "detailed_merge_status": "unchecked", "merge_commit_sha": None, "draft": False,
        "work_in_progress": False, "labels": [{"id": 1, "title": "size/S", "color": "#ededed"}], "milestone_id": None,
        "url": "https://gitlab.test/acme/web/shop/-/merge_requests/7", "action": action, **more,
    }  # fmt: skip
    return whole(
        "merge_request", sender, object_attributes=about, labels=about["labels"], changes=changes or {},
        assignees=[user("bob")], reviewers=[user("mia") | {"state": "unreviewed"}],
    )  # fmt: skip


def note(body: str, sender: str = "bob", on: str = "MergeRequest", **more: Any) -> dict[str, Any]:
    """A Note Hook."""
    about = {"id": 501, "note": body, "noteable_type": on, "author_id": 5, "created_at": AT, "updated_at": AT,
             "system": False, "action": "create", "type": None,
             "url": "https://gitlab.test/acme/web/shop/-/merge_requests/7#note_501"} | more  # fmt: skip
    inner = {"merge_request": {"id": 93, "iid": 7, "title": "Faster cart"}} if on == "MergeRequest" else {}
    return whole("note", sender, object_attributes=about, **inner)


def push(kind: str = "push", ref: str = "refs/heads/main", before: str = OLD, after: str = NEW) -> dict[str, Any]:
    """A Push Hook or a Tag Push Hook; who pushed stands in fields of their own."""
    body = whole(kind, ref=ref, before=before, after=after, checkout_sha=None if set(after) == {"0"} else after,
                 user_id=4, user_name="Ann", user_username="ann", user_email=None, project_id=41,
                 commits=[], total_commits_count=0, event_name=kind)  # fmt: skip
    del body["user"]
    return body


def pipeline(status: str) -> dict[str, Any]:
    """A Pipeline Hook."""
    return whole("pipeline", object_attributes={
        "id": 31, "iid": 3, "name": None, "ref": "cart", "tag": False, "sha": NEW, "before_sha": OLD, "source": "push",
        "status": status, "detailed_status": "passed", "stages": ["test"], "created_at": AT, "finished_at": AT,
        "url": "https://gitlab.test/acme/web/shop/-/pipelines/31",
    }, builds=[])  # fmt: skip


def release(action: str) -> dict[str, Any]:
    """A Release Hook."""
    body = whole("release", id=1, action=action, tag="v1.2.0", name="1.2.0", description="Faster", created_at=AT,
                 released_at=AT, url="https://gitlab.test/acme/web/shop/-/releases/v1.2.0")  # fmt: skip
    del body["user"]
    return body
