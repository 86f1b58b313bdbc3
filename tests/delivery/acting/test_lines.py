"""Commands that a review says on lines of the change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pilothouse.delivery import chat, forges
from pilothouse.delivery.acting.deciding import chat_event, with_lines
from pilothouse.delivery.forges import Comment, Event, Review

EARLIER = Review("bob", "commented", "", 5.0, id="1")
SAID = (Comment("bob", "/assign", 4.0, path="a.py", line=1), Comment("eve", "/lgtm", 9.0, path="a.py", line=1),
        Comment("bob", "/hold", 9.0, path="a.py", line=2), Comment("bob", "/close", 9.0))  # fmt: skip


def as_decided(review: Review) -> chat.Event:
    """What a review is to chat, by what the forge has."""
    event = Event("d", "codeberg", "shop/cart", "review", "submitted", 7, "bob", review=review)
    said = chat_event(event)
    assert said is not None
    loaded: Any = SimpleNamespace(pull=chat.PullRequest(7, "ann", comments=SAID, reviews=(EARLIER, review)))
    return with_lines(event, loaded, said)


def test_what_a_review_of_forgejo_says_on_lines_counts_with_it() -> None:
    assert as_decided(Review("bob", "commented", "Nearly", 10.0)).text == "Nearly\n/hold"


def test_where_each_is_told_by_itself_it_does_not_count_twice() -> None:
    assert as_decided(Review("bob", "commented", "Nearly", 10.0, id="2")).text == "Nearly"


def test_a_comment_on_a_line_is_a_command() -> None:
    comment = forges.Comment("bob", "/hold", 9.0, path="a.py", line=2)
    said = chat_event(Event("d", "github", "shop/cart", "comment", "created", 7, "bob", comment=comment))
    assert said == chat.Event("comment", "bob", "/hold")
