"""GitHub's webhooks of all kinds that are used, as events; and what is not as documented, by its field."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from pilothouse.delivery.forges import NO_COMMIT, BranchTip, Event, PullRequest, RefChange
from pilothouse.delivery.forges.remote.reading import Node, ShapeError, document
from pilothouse.delivery.webhooks import Parcel, Reading
from pilothouse.delivery.webhooks.github import read
from tests.delivery.webhooks import github_payloads as like

AT = 1772600767.0


def reading(kind: str, body: dict[str, Any]) -> Reading:
    """What a delivery says."""
    raw = json.dumps(body).encode()
    return read(Parcel(raw, {"x-github-event": kind, "x-github-delivery": "d-1"}), document(raw), "github")


def event(kind: str, body: dict[str, Any]) -> Event:
    """The one event of a delivery."""
    [found] = reading(kind, body).events
    assert (found.delivery, found.forge, found.repository) == ("d-1", "github", "acme/shop")
    return found


PULLS = [
    (like.of_pull("opened"), {"action": "opened"}),
    (like.of_pull("synchronize", before=like.OLD, after=like.NEW), {"action": "synchronize", "before": like.OLD}),
    (like.of_pull("edited", changes={"title": {"from": "Cart"}}), {"action": "edited"}),
    (like.of_pull("closed", changed={"state": "closed"}), {"action": "closed"}),
    (like.of_pull("closed", changed={"state": "closed", "merged": True, "merged_at": like.AT}), {"action": "merged"}),
    (like.of_pull("reopened"), {"action": "reopened"}),
    (like.of_pull("ready_for_review"), {"action": "ready"}),
    (like.of_pull("converted_to_draft", changed={"draft": True}), {"action": "draft"}),
    (like.of_pull("labeled", "bob", label={"name": "lgtm"}), {"action": "labeled", "label": "lgtm", "sender": "bob"}),
    (like.of_pull("unlabeled", label={"name": "lgtm"}), {"action": "unlabeled", "label": "lgtm"}),
    (like.of_pull("assigned", assignee=like.user("mia")), {"action": "assigned", "logins": ("mia",)}),
    (like.of_pull("unassigned", assignee=like.user("mia")), {"action": "unassigned", "logins": ("mia",)}),
    (like.of_pull("review_requested", requested_reviewer=like.user("mia")),
     {"action": "review_requested", "logins": ("mia",)}),
    (like.of_pull("review_requested", requested_team={"name": "core"}), {"action": "review_requested", "logins": ()}),
    (like.of_pull("review_request_removed", requested_reviewer=like.user("mia")),
     {"action": "review_request_removed", "logins": ("mia",)}),
    (like.of_pull("milestoned", milestone={"title": "v1.0"}), {"action": "milestoned"}),
    (like.of_pull("demilestoned"), {"action": "demilestoned"}),
]  # fmt: skip


# What GitHub's published schemas (octokit/webhooks 7.6.1) say of the fields that are read here: these may be null or
# missing in some delivery, all others that are needed are always there. All 726 published examples were read.
MAY_BE_NULL = {
    "check_run": ("check_run.completed_at", "check_run.conclusion", "check_run.details_url", "check_run.output.title"),
    "pull_request": (
        "pull_request.body", "pull_request.head.repo", "pull_request.mergeable", "pull_request.merged",
        "pull_request.merged_at", "pull_request.milestone", "pull_request.merge_commit_sha",
    ),
    "pull_request_review": ("pull_request.merged", "pull_request.milestone", "review.body", "review.submitted_at"),
    "pull_request_review_comment": (
        "pull_request.draft", "pull_request.merged", "comment.line", "comment.original_line",
    ),
    "push": ("head_commit",),
    "release": ("release.created_at",),
    "status": ("description", "target_url"),
    "ping": ("repository", "sender"),
}  # fmt: skip
WHOLE = {
    "check_run": like.check("completed", "completed", "success"),
    "pull_request": like.of_pull("opened"),
    "pull_request_review": like.of_review("submitted", "approved"),
    "pull_request_review_comment": like.whole(
        "bob", action="created", pull_request=like.pull(),
        comment=like.comment("Why?") | {"path": "a.py", "line": 3, "original_line": 3},
    ),
    "push": like.push(), "release": like.release("published"), "status": like.STATUS, "ping": like.PING,
}  # fmt: skip


def test_what_may_be_null_or_missing_is_still_read() -> None:
    for kind, fields in MAY_BE_NULL.items():
        for field in fields:
            for gone in (True, False):
                body = copy.deepcopy(WHOLE[kind])
                *above, last = field.split(".")
                holder = body
                for name in above:
                    holder = holder[name]
                holder.pop(last, None) if gone else holder.update({last: None})
                assert reading(kind, body).events, (kind, field, gone)


def test_a_team_that_is_asked_for_a_review_is_no_person() -> None:
    team = {"name": "core", "id": 3, "slug": "core", "privacy": "closed"}
    found = event("pull_request", like.of_pull("opened", changed={"requested_reviewers": [like.user("mia"), team]}))
    assert found.pull is not None
    assert found.pull.requested_reviewers == {"mia"}


@pytest.mark.parametrize(("body", "expected"), PULLS, ids=[row[1]["action"] for row in PULLS])
def test_a_pull_requests_life(body: dict[str, Any], expected: dict[str, Any]) -> None:
    found = event("pull_request", body)
    assert (found.kind, found.number) == ("pull_request", 7)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.pull is not None


def test_a_pull_request_is_told_whole() -> None:
    assert event("pull_request", like.of_pull("opened")).pull == PullRequest(
        "acme/shop", 7, "Faster cart", "ann", BranchTip("ann/shop", "cart", like.NEW),
        BranchTip("acme/shop", "main", like.BASE), "It was slow.", labels=frozenset({"size/S"}),
        assignees=frozenset({"bob"}), requested_reviewers=frozenset({"mia"}), milestone="v1.0", created=AT,
        updated=AT + 60, url="https://github.test/acme/shop/pull/7",
    )  # fmt: skip


def test_a_fork_that_is_gone_and_a_user_that_is_gone() -> None:
    head = {"label": "ann:cart", "ref": "cart", "sha": like.NEW, "user": None, "repo": None}
    found = event("pull_request", like.of_pull("closed", changed={"head": head, "user": None, "state": "closed"}))
    assert found.pull is not None
    assert (found.pull.head.repository, found.pull.author) == ("", "ghost")


@pytest.mark.parametrize("action", ["created", "edited", "deleted"])
def test_comments_on_pull_requests(action: str) -> None:
    found = event("issue_comment", like.of_comment(action, "/lgtm"))
    assert (found.kind, found.action, found.number, found.sender, found.at) == ("comment", action, 7, "bob", AT)
    assert found.comment is not None
    assert (found.comment.body, found.comment.author, found.comment.id) == ("/lgtm", "bob", "501")


def test_bots_are_told_from_people() -> None:
    found = event("issue_comment", like.of_comment("created", "/lgtm", "helper[bot]", "Bot"))
    assert found.sender_is_bot
    assert found.comment is not None
    assert found.comment.is_bot


def test_comments_on_lines_are_comments() -> None:
    body = like.whole("bob", action="created", pull_request=like.pull(), comment=like.comment("/hold"))
    found = event("pull_request_review_comment", body)
    assert (found.kind, found.number) == ("comment", 7)
    assert found.comment is not None
    assert found.comment.id == "line-501"


@pytest.mark.parametrize(
    ("action", "state", "expected"),
    [("submitted", "approved", "approved"), ("submitted", "changes_requested", "changes_requested"),
     ("submitted", "commented", "commented"), ("edited", "commented", "commented"),
     ("dismissed", "dismissed", "dismissed")],
)  # fmt: skip
def test_reviews(action: str, state: str, expected: str) -> None:
    found = event("pull_request_review", like.of_review(action, state, None))
    assert (found.kind, found.action, found.number) == ("review", action, 7)
    assert found.review is not None
    assert (found.review.state, found.review.commit, found.review.author) == (expected, like.NEW, "bob")


def test_pushes_of_branches_and_tags_their_making_and_their_end() -> None:
    assert event("push", like.push()).ref == RefChange("refs/heads/main", like.OLD, like.NEW)
    assert event("push", like.push()).at == AT
    forced = event("push", like.push(forced=True)).ref
    assert forced is not None
    assert forced.forced
    made = event("push", like.push("refs/tags/v1", NO_COMMIT, like.NEW)).ref
    assert made is not None
    assert (made.tag, made.created) == ("v1", True)
    gone = event("push", like.push("refs/heads/old", like.OLD, NO_COMMIT)).ref
    assert gone is not None
    assert (gone.branch, gone.deleted) == ("old", True)


def test_statuses_and_checks() -> None:
    found = event("status", like.STATUS)
    assert found.status is not None
    assert (found.commit, found.status.context, found.status.state) == (like.NEW, "ci/other", "success")
    for status, conclusion, state in (("queued", None, "pending"), ("in_progress", None, "pending"),
                                      ("completed", "success", "success"), ("completed", "neutral", "success"),
                                      ("completed", "skipped", "success"), ("completed", "failure", "failure"),
                                      ("completed", "timed_out", "failure"), ("completed", "cancelled", "error"),
                                      ("completed", "unheard_of", "error")):  # fmt: skip
        action = "completed" if conclusion else "created"
        one = event("check_run", like.check(action, status, conclusion)).status
        assert one is not None
        assert (one.context, one.state, one.description) == ("lint", state, "2 warnings")


@pytest.mark.parametrize(("action", "expected"), [("published", "created"), ("edited", "edited"),
                                                  ("deleted", "deleted")])  # fmt: skip
def test_releases(action: str, expected: str) -> None:
    found = event("release", like.release(action))
    assert found.ref is not None
    assert (found.action, found.ref.tag) == (expected, "v1.2.0")


def test_a_ping_is_an_event() -> None:
    assert event("ping", like.PING).kind == "ping"


@pytest.mark.parametrize(
    ("kind", "body"),
    [("star", like.whole(action="created")), ("pull_request", like.of_pull("locked")), ("pull_request", like.of_pull(
     "auto_merge_enabled")), ("issue_comment", like.of_comment("created", "hm", pull_request=None)),
     ("issue_comment", like.of_comment("pinned", "hm")), ("pull_request_review", like.of_review("submitted",
     "pending")), ("release", like.release("created")), ("check_run", like.check("rerequested", "queued", None))],
)  # fmt: skip
def test_what_nobody_here_wants_is_ignored_with_a_reason(kind: str, body: dict[str, Any]) -> None:
    found = reading(kind, body)
    assert not found.events
    assert found.ignored.startswith("Pilothouse has no use for")


def without(path: str, value: Any = None, kind: str = "opened") -> dict[str, Any]:
    """A pull request's event with another value at a place."""
    body = like.of_pull(kind)
    *parents, last = path.split(".")
    place = body
    for name in parents:
        place = place[name]
    place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [("repository", None, "must be an object, is missing"), ("repository.full_name", 7, "must be text, is a number"),
     ("pull_request", [], "must be an object, is a list"), ("pull_request.number", "7", "must be a whole number"),
     ("pull_request.number", True, "must be a whole number"), ("pull_request.number", -1, "must be a whole number"),
     ("pull_request.number", 2**70, "must be a whole number"), ("pull_request.title", None, "must be text"),
     ("pull_request.state", "half", "neither open nor closed"), ("pull_request.draft", "no", "must be true or false"),
     ("pull_request.labels", "x", "must be a list"), ("pull_request.head.sha", 1, "must be text"),
     ("pull_request.updated_at", "soon", "is not a time"), ("pull_request.base.repo", None, "must be an object"),
     ("sender.login", {}, "must be text, is an object")],
)  # fmt: skip
def test_what_is_not_as_documented_is_refused_by_its_field(path: str, value: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=rf"^{path}: .*{words}"):
        reading("pull_request", without(path, value))


def test_a_place_in_a_list_is_named() -> None:
    with pytest.raises(ShapeError, match=r"^pull_request\.labels\[1\]\.name: must be text"):
        reading("pull_request", without("pull_request.labels", [{"name": "a"}, {"name": None}]))


def test_names_are_told_where_they_stand() -> None:
    assert Node({}, "a.b").at("c") == "a.b.c"
