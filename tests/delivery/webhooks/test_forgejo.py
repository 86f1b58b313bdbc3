"""Forgejo's and Gitea's webhooks of all kinds that are used, as events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pilothouse.delivery.forges import NO_COMMIT, BranchTip, Event, PullRequest, RefChange
from pilothouse.delivery.forges.remote.reading import ShapeError, document
from pilothouse.delivery.webhooks import Parcel, Reading
from pilothouse.delivery.webhooks.forgejo import read
from tests.delivery.webhooks import forgejo_payloads as like

AT = 1772600767.0


def reading(kind: str, body: dict[str, Any], maker: str = "forgejo") -> Reading:
    """What a delivery says."""
    raw = json.dumps(body).encode()
    headers = {f"x-{maker}-event": kind, f"x-{maker}-delivery": "d-1"}
    return read(Parcel(raw, headers), document(raw), "forgejo")


def event(kind: str, body: dict[str, Any], maker: str = "forgejo") -> Event:
    """The one event of a delivery."""
    [found] = reading(kind, body, maker).events
    assert (found.delivery, found.forge, found.repository) == ("d-1", "forgejo", "acme/shop")
    return found


LABELS = {"added_labels": [{"name": "lgtm"}], "removed_labels": [{"name": "wip"}]}
PULLS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (like.of_pull("opened"), [{"action": "opened"}]),
    (like.of_pull("synchronized"), [{"action": "synchronize"}]),
    (like.of_pull("edited", changes={"body": {"from": ""}}), [{"action": "edited"}]),
    (like.of_pull("edited", changes={"title": {"from": "WIP: Faster cart"}}),
     [{"action": "edited"}, {"action": "ready"}]),
    (like.of_pull("edited", changes={"title": {"from": "Cart"}}, changed={"title": "[WIP] Cart", "draft": True}),
     [{"action": "edited"}, {"action": "draft"}]),
    (like.of_pull("closed", changed={"state": "closed"}), [{"action": "closed"}]),
    (like.of_pull("closed", changed={"state": "closed", "merged": True, "merge_commit_sha": like.OLD}),
     [{"action": "merged"}]),
    (like.of_pull("reopened"), [{"action": "reopened"}]),
    (like.of_pull("label_updated"), [{"action": "labeled", "label": ""}]),
    (like.of_pull("label_updated", changes=LABELS),
     [{"action": "labeled", "label": "lgtm"}, {"action": "unlabeled", "label": "wip"}]),
    (like.of_pull("label_updated", label={"id": 1, "name": "size/S"}), [{"action": "labeled", "label": "size/S"}]),
    (like.of_pull("label_updated", label={"id": 2, "name": "lgtm"}), [{"action": "unlabeled", "label": "lgtm"}]),
    (like.of_pull("label_cleared"), [{"action": "unlabeled"}]),
    (like.of_pull("assigned"), [{"action": "assigned"}]),
    (like.of_pull("unassigned"), [{"action": "unassigned"}]),
    (like.of_pull("review_requested", requested_reviewer=like.user("mia")),
     [{"action": "review_requested", "logins": ("mia",)}]),
    (like.of_pull("review_request_removed", requested_reviewer=like.user("mia")),
     [{"action": "review_request_removed", "logins": ("mia",)}]),
    (like.of_pull("milestoned"), [{"action": "milestoned"}]),
    (like.of_pull("demilestoned"), [{"action": "demilestoned"}]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), PULLS, ids=["+".join(e["action"] for e in row[1]) for row in PULLS])
def test_a_pull_requests_life(body: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    found = reading("pull_request", body).events
    assert [
        {name: getattr(one, name) for name in wanted} for one, wanted in zip(found, expected, strict=True)
    ] == expected
    assert len({one.delivery for one in found}) == len(found)
    assert {(one.kind, one.number) for one in found} == {("pull_request", 7)}


def test_a_pull_request_is_told_whole_and_a_draft_without_its_prefix() -> None:
    whole = PullRequest(
        "acme/shop", 7, "Faster cart", "ann", BranchTip("ann/shop", "cart", like.NEW),
        BranchTip("acme/shop", "main", like.BASE), "It was slow.", labels=frozenset({"size/S"}),
        requested_reviewers=frozenset({"mia"}), mergeable=True, created=AT, updated=AT,
        url="https://forgejo.test/acme/shop/pulls/7",
    )  # fmt: skip
    assert event("pull_request", like.of_pull("opened")).pull == whole
    draft = like.of_pull("opened", changed={"title": "WIP: Faster cart"})
    del draft["pull_request"]["draft"]
    found = event("pull_request", draft).pull
    assert found is not None
    assert (found.draft, found.title) == (True, "Faster cart")


@pytest.mark.parametrize("maker", ["forgejo", "gitea"])
def test_both_makers_headers_are_read(maker: str) -> None:
    assert event("pull_request", like.of_pull("opened"), maker).kind == "pull_request"


@pytest.mark.parametrize("action", ["created", "edited", "deleted"])
def test_comments_on_pull_requests(action: str) -> None:
    found = event("issue_comment", like.comment(action, "/lgtm"))
    assert (found.kind, found.action, found.number, found.sender, found.at) == ("comment", action, 7, "bob", AT)
    assert found.comment is not None
    assert (found.comment.body, found.comment.id) == ("/lgtm", "501")


@pytest.mark.parametrize(
    ("kind", "state"),
    [("pull_request_approved", "approved"), ("pull_request_rejected", "changes_requested"),
     ("pull_request_comment", "commented")],
)  # fmt: skip
def test_reviews(kind: str, state: str) -> None:
    found = event(kind, like.review(kind.replace("request_", "request_review_"), "Fine"))
    assert (found.kind, found.action, found.number) == ("review", "submitted", 7)
    assert found.review is not None
    assert (found.review.author, found.review.state, found.review.body) == ("bob", state, "Fine")
    assert found.review.commit == like.NEW


def test_pushes() -> None:
    assert event("push", like.push()).ref == RefChange("refs/heads/main", like.OLD, like.NEW)
    tag = event("push", like.push("refs/tags/v1", NO_COMMIT)).ref
    assert tag is not None
    assert (tag.tag, tag.created) == ("v1", True)


@pytest.mark.parametrize(("given", "state"), [("success", "success"), ("failure", "failure"), ("error", "error"),
                                              ("pending", "pending"), ("warning", "success")])  # fmt: skip
def test_statuses(given: str, state: str) -> None:
    found = event("status", like.STATUS | {"state": given})
    assert found.status is not None
    assert (found.commit, found.status.context, found.status.state) == (like.NEW, "ci/other", state)


@pytest.mark.parametrize(("action", "expected"), [("published", "created"), ("updated", "edited"),
                                                  ("deleted", "deleted")])  # fmt: skip
def test_releases(action: str, expected: str) -> None:
    assert event("release", like.release(action)).action == expected


@pytest.mark.parametrize(
    ("kind", "body"),
    [("fork", like.whole()), ("pull_request", like.of_pull("auto_merged")), ("issue_comment", like.comment("created",
     "hm", is_pull=False)), ("release", like.release("drafted")), ("create", like.whole(ref="v1", ref_type="tag"))],
)  # fmt: skip
def test_what_nobody_here_wants_is_ignored_with_a_reason(kind: str, body: dict[str, Any]) -> None:
    found = reading(kind, body)
    assert not found.events
    assert found.ignored.startswith("Pilothouse has no use for")


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [("push", {}, "repository"), ("push", like.push(ref=None), "ref"),  # type: ignore[arg-type]
     ("pull_request", like.whole(action="opened"), "pull_request"), ("status", like.STATUS | {"state": "odd"},
     "status"), ("pull_request_approved", like.of_pull("reviewed"), "review"),
     ("issue_comment", like.comment("created", 3), "comment.body")],  # type: ignore[arg-type]
)  # fmt: skip
def test_what_is_not_as_documented_is_refused_by_its_field(kind: str, body: dict[str, Any], field: str) -> None:
    with pytest.raises(ShapeError, match=rf"^{field}: "):
        reading(kind, body)
