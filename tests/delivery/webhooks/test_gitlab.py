"""GitLab's webhooks of all kinds that are used, as events; and what is not as documented, by its field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pilothouse.delivery.forges import NO_COMMIT, BranchTip, Event, PullRequest, RefChange
from pilothouse.delivery.forges.remote.reading import ShapeError, document
from pilothouse.delivery.webhooks import Parcel, Reading
from pilothouse.delivery.webhooks.gitlab import read
from tests.delivery.webhooks import gitlab_payloads as like

AT = 1772600767.0


def reading(body: dict[str, Any]) -> Reading:
    """What a delivery says."""
    raw = json.dumps(body).encode()
    return read(Parcel(raw, {"x-gitlab-event-uuid": "d-1"}), document(raw), "gitlab")


def event(body: dict[str, Any]) -> Event:
    """The one event of a delivery."""
    [found] = reading(body).events
    assert (found.delivery, found.forge, found.repository) == ("d-1", "gitlab", "acme/web/shop")
    return found


def change(before: Any, after: Any) -> dict[str, Any]:
    """What `changes` says of a field."""
    return {"previous": before, "current": after}


LABELS = change([{"title": "size/S"}, {"title": "wip"}], [{"title": "size/S"}, {"title": "lgtm"}])
UPDATES: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (like.merge_request("open"), [{"action": "opened"}]),
    (like.merge_request("close", state="closed"), [{"action": "closed"}]),
    (like.merge_request("reopen"), [{"action": "reopened"}]),
    (like.merge_request("merge", state="merged"), [{"action": "merged"}]),
    (like.merge_request("update", oldrev=like.OLD), [{"action": "synchronize", "before": like.OLD}]),
    (like.merge_request("update", changes={"title": change("Cart", "Faster cart")}), [{"action": "edited"}]),
    (like.merge_request("update", changes={"description": change(None, "x")}), [{"action": "edited"}]),
    (like.merge_request("update", changes={"target_branch": change("main", "next")}), [{"action": "edited"}]),
    (like.merge_request("update", changes={"draft": change(False, True), "title": change("C", "Draft: C")},
                        title="Draft: C", draft=True), [{"action": "draft"}, {"action": "edited"}]),
    (like.merge_request("update", changes={"draft": change(True, False)}), [{"action": "ready"}]),
    (like.merge_request("update", changes={"labels": LABELS}),
     [{"action": "labeled", "label": "lgtm"}, {"action": "unlabeled", "label": "wip"}]),
    (like.merge_request("update", changes={"assignees": change([], [like.user("bob")])}),
     [{"action": "assigned", "logins": ("bob",)}]),
    (like.merge_request("update", changes={"assignees": change([like.user("bob")], [])}),
     [{"action": "unassigned", "logins": ("bob",)}]),
    (like.merge_request("update", changes={"reviewers": change([like.user("bob")], [like.user("mia")])}),
     [{"action": "review_requested", "logins": ("mia",)}, {"action": "review_request_removed", "logins": ("bob",)}]),
    (like.merge_request("update", changes={"milestone_id": change(None, 3)}), [{"action": "milestoned"}]),
    (like.merge_request("update", changes={"milestone_id": change(3, None)}), [{"action": "demilestoned"}]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), UPDATES, ids=["+".join(e["action"] for e in row[1]) for row in UPDATES])
def test_a_merge_requests_life(body: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    found = reading(body).events
    assert [
        {name: getattr(one, name) for name in wanted} for one, wanted in zip(found, expected, strict=True)
    ] == expected
    assert len({one.delivery for one in found}) == len(found)
    assert {(one.kind, one.number, one.sender) for one in found} == {("pull_request", 7, "ann")}


def test_a_merge_request_is_told_whole_when_its_author_is_among_those_who_are_named() -> None:
    assert event(like.merge_request("open")).pull == PullRequest(
        "acme/web/shop", 7, "Faster cart", "ann", BranchTip("ann/shop", "cart", like.NEW),
        BranchTip("acme/web/shop", "main", ""), "It was slow.", labels=frozenset({"size/S"}),
        assignees=frozenset({"bob"}), requested_reviewers=frozenset({"mia"}), created=AT, updated=AT + 60,
        url="https://gitlab.test/acme/web/shop/-/merge_requests/7",
    )  # fmt: skip
    assert event(like.merge_request("close", "zed", state="closed")).pull is None


@pytest.mark.parametrize(
    ("action", "done", "state"),
    [("approved", "submitted", "approved"), ("approval", "submitted", "approved"),
     ("unapproved", "dismissed", "dismissed"), ("unapproval", "dismissed", "dismissed")],
)  # fmt: skip
def test_approvals_are_reviews(action: str, done: str, state: str) -> None:
    found = event(like.merge_request(action, "bob"))
    assert (found.kind, found.action, found.number) == ("review", done, 7)
    assert found.review is not None
    assert (found.review.author, found.review.state, found.review.commit) == ("bob", state, like.NEW)


def test_a_review_that_asks_for_changes_is_told_by_its_reviewers_state() -> None:
    before, after = ([like.user("bob") | {"state": state}] for state in ("unreviewed", "requested_changes"))
    found = event(like.merge_request("update", "bob", changes={"reviewers": change(before, after)}))
    assert (found.kind, found.action, found.number, found.sender) == ("review", "submitted", 7, "bob")
    assert found.review is not None
    assert (found.review.author, found.review.state, found.review.commit) == ("bob", "changes_requested", like.NEW)
    reviewed = [like.user("bob") | {"state": "reviewed"}]
    for changed in ((after, after), (before, reviewed), (after, before)):
        assert reading(like.merge_request("update", "bob", changes={"reviewers": change(*changed)})).events == ()


def test_notes_on_merge_requests_are_comments() -> None:
    found = event(like.note("/lgtm"))
    assert (found.kind, found.action, found.number, found.sender, found.at) == ("comment", "created", 7, "bob", AT)
    assert found.comment is not None
    assert (found.comment.body, found.comment.id, found.comment.is_bot) == ("/lgtm", "501", False)
    assert event(like.note("/lgtm", action="update")).action == "edited"
    bot = event(like.note("hm", "project_41_bot_a1b2")).comment
    assert bot is not None
    assert bot.is_bot


def test_pushes_of_branches_and_tags() -> None:
    found = event(like.push())
    assert (found.kind, found.sender) == ("push", "ann")
    assert found.ref == RefChange("refs/heads/main", like.OLD, like.NEW)
    tag = event(like.push("tag_push", "refs/tags/v1", NO_COMMIT)).ref
    assert tag is not None
    assert (tag.tag, tag.created) == ("v1", True)


@pytest.mark.parametrize(
    ("status", "state"),
    [("pending", "pending"), ("running", "pending"), ("manual", "pending"), ("success", "success"),
     ("failed", "failure"), ("canceled", "error"), ("skipped", "success")],
)  # fmt: skip
def test_pipelines_are_statuses(status: str, state: str) -> None:
    found = event(like.pipeline(status))
    assert found.status is not None
    assert (found.commit, found.status.context, found.status.state) == (like.NEW, "gitlab/pipeline", state)


@pytest.mark.parametrize(("action", "expected"), [("create", "created"), ("update", "edited"), ("delete", "deleted")])
def test_releases(action: str, expected: str) -> None:
    found = event(like.release(action))
    assert found.ref is not None
    assert (found.action, found.ref.tag) == (expected, "v1.2.0")


@pytest.mark.parametrize(
    "body",
    [like.whole("issue", object_attributes={}), like.whole("build"), like.merge_request("update"), like.note("hm",
     on="Issue"), like.note("assigned to @bob", system=True), like.release("archive")],
)  # fmt: skip
def test_what_nobody_here_wants_is_ignored_with_a_reason(body: dict[str, Any]) -> None:
    found = reading(body)
    assert not found.events
    assert found.ignored.startswith("Pilothouse has no use for")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "event_name"), (like.whole("push", project=None), "project"), (like.whole("merge_request"),
     "object_attributes"), (like.merge_request("open", iid=None), "object_attributes.iid"),
     (like.merge_request("open", state="odd"), "object_attributes.state"), (like.note(5),  # type: ignore[arg-type]
     "object_attributes.note"), (like.pipeline("success") | {"object_attributes": {"status": "success"}},
     "object_attributes.sha"), (like.merge_request("update", changes={"labels": []}), None),
     (like.merge_request("update", changes={"labels": [1]}), "changes.labels"), (like.push(ref=None),  # type: ignore[arg-type]
     "ref")],
)  # fmt: skip
def test_what_is_not_as_documented_is_refused_by_its_field(body: dict[str, Any], field: str | None) -> None:
    if field is None:
        body["object_attributes"]["updated_at"] = "never"
        field = "object_attributes.updated_at"
    with pytest.raises(ShapeError, match=rf"^{field}: "):
        reading(body)
