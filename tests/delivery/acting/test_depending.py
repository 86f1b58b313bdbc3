"""`Depends-On:` lines: what they name, and what is said of them."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.acting.depending import mentions, named, waits_for
from pilothouse.delivery.forges import BranchTip, MissingError, Permission, PullRequest


def pull(number: int, body: str = "", state: Any = "open", repository: str = "acme/shop") -> PullRequest:
    tip = BranchTip(repository, "main", "a" * 40)
    url = f"https://forge.example.org/{repository}/pulls/{number}"
    return PullRequest(repository, number, "x", "ann", tip, tip, body, state, url=url)


class There:
    """Pull requests by place; ann may not look into acme/secret."""

    name = "theirs"

    def __init__(self, *pulls: PullRequest) -> None:
        self.pulls = {(one.repository, one.number): one for one in pulls}

    def pull_request(self, repository: str, number: int) -> PullRequest:
        if (repository, number) not in self.pulls:
            raise MissingError(f"{repository}#{number}")
        return self.pulls[repository, number]

    def permission(self, repository: str, login: str) -> Permission:
        return "none" if repository == "acme/secret" else "read"


def said(body: str, *pulls: PullRequest) -> tuple[str, ...]:
    forge: Any = There(*pulls)
    return waits_for(forge, pull(7, body))


def test_what_lines_name() -> None:
    text = (
        "Words\nDepends-On: #3\r\ndepends-on: acme/lib#4\nDepends-On: group/sub/lib!5\n"
        "Depends-On: https://github.com/acme/web/pull/6\n> Depends-On: #9\nI wrote Depends-On: #10\n"
        "Depends-On: https://gitlab.com/group/sub/web/-/merge_requests/8\nDepends-On: #3\nDepends-On: soon"
    )
    assert [(where, number) for where, number, _ in named(text, "acme/shop")] == [
        ("acme/shop", 3), ("acme/lib", 4), ("group/sub/lib", 5), ("acme/web", 6), ("group/sub/web", 8), ("soon", 0),
    ]  # fmt: skip


def test_it_waits_until_they_are_merged() -> None:
    assert said("nothing") == ()
    assert said("Depends-On: #3", pull(3)) == ("it depends on acme/shop#3, which is open",)
    assert said("Depends-On: #3", pull(3, state="closed")) == ("it depends on acme/shop#3, which is closed",)
    assert said("Depends-On: #3", pull(3, state="merged")) == ()
    assert said("Depends-On: #7") == ("it depends on acme/shop#7, which is itself",)
    assert said("Depends-On: #4") == ("it depends on acme/shop#4, which is not on theirs",)
    address = "https://forge.example.org/acme/lib/pulls/2"
    assert said(f"Depends-On: {address}", pull(2, state="merged", repository="acme/lib")) == ()
    other = said("Depends-On: https://evil.example/acme/lib/pull/2", pull(2, state="merged", repository="acme/lib"))
    assert "is on another forge" in other[0]
    assert "names no pull request" in said("Depends-On: soon")[0]


def test_how_things_stand_elsewhere_is_not_told_to_who_may_not_look() -> None:
    merged = pull(2, state="merged", repository="acme/secret")
    assert said("Depends-On: acme/secret#2", merged) == ("it depends on acme/secret#2, which is not on theirs",)


def test_what_waits_is_found_again() -> None:
    reasons = ("it needs the label lgtm", "it depends on acme/shop#3, which is open")
    assert mentions(reasons, "acme/shop", 3)
    assert not mentions(reasons, "acme/shop", 33)
