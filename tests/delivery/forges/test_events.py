"""Events survive being written and read, and say what they are about."""

from __future__ import annotations

import pytest

from pilothouse.delivery.forges import (
    NO_COMMIT,
    BranchTip,
    Comment,
    Event,
    PullRequest,
    RefChange,
    event_from_json,
    event_to_json,
)

PULL = PullRequest(
    "shop/cart", 7, "Faster", "ann", BranchTip("ann/cart", "fast", "a" * 40), BranchTip("shop/cart", "main", "b" * 40),
    labels=frozenset({"lgtm"}),
)  # fmt: skip


def test_an_event_comes_back_as_it_was() -> None:
    event = Event(
        "d1", "local", "shop/cart", "comment", "created", 7, "bob", pull=PULL, comment=Comment("bob", "/lgtm", 1.5)
    )
    assert event_from_json(event_to_json(event)) == event


def test_what_was_written_by_a_newer_pilothouse_is_read() -> None:
    assert (
        event_from_json('{"delivery": "1", "forge": "f", "repository": "a/b", "kind": "ping", "new": 1}').kind == "ping"
    )


def test_what_is_no_event_is_refused_with_the_field() -> None:
    with pytest.raises(ValueError, match="kind"):
        event_from_json('{"delivery": "1", "forge": "f", "repository": "a/b", "kind": "dance"}')


def test_a_ref_is_a_branch_or_a_tag() -> None:
    made = RefChange("refs/heads/feature/x", NO_COMMIT, "a" * 40)
    assert (made.branch, made.tag, made.created, made.deleted) == ("feature/x", "", True, False)
    gone = RefChange("refs/tags/v1", "a" * 40, NO_COMMIT)
    assert (gone.branch, gone.tag, gone.created, gone.deleted) == ("", "v1", False, True)


def test_a_pull_request_knows_whether_it_is_of_a_fork() -> None:
    assert PULL.from_fork
    assert not PULL.merged
