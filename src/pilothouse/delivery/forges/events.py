"""What happened on a forge, in the same words for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pilothouse.delivery.forges.model import Comment, PullRequest, Review, Status

EventKind = Literal["push", "pull_request", "comment", "review", "status", "release", "ping"]

EventAction = Literal[
    "", "opened", "synchronize", "edited", "closed", "merged", "reopened", "ready", "draft", "labeled", "unlabeled",
    "assigned", "unassigned", "review_requested", "review_request_removed", "milestoned", "demilestoned", "created",
    "deleted", "submitted", "dismissed",
]  # fmt: skip

NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True)
class RefChange:
    """A ref (`refs/heads/main`, `refs/tags/v1`) moved; 40 zeros before or after when it was made or deleted."""

    ref: str
    before: str
    after: str
    forced: bool = False

    @property
    def branch(self) -> str:
        """The branch, or nothing when it is a tag."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""

    @property
    def tag(self) -> str:
        """The tag, or nothing when it is a branch."""
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else ""

    @property
    def created(self) -> bool:
        """Whether it was not there before."""
        return set(self.before) == {"0"}

    @property
    def deleted(self) -> bool:
        """Whether it is gone."""
        return set(self.after) == {"0"}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `delivery` is unique in a forge: an event that comes twice has it twice. `number` is the pull request's, 0 for
    none. `actions` of kind: push and status have none; pull_request has those of its life and its fields (`label`,
    `logins` say which); comment has created, edited, deleted; review has submitted, edited, dismissed.
    `pull` is the pull request as it was then, when the forge tells it. `before` is the head before a synchronize.
    `commit` is what a status is of.
    """

    delivery: str
    forge: str
    repository: str
    kind: EventKind
    action: EventAction = ""
    number: int = 0
    sender: str = ""
    sender_is_bot: bool = False
    at: float = 0.0
    pull: PullRequest | None = None
    comment: Comment | None = None
    review: Review | None = None
    ref: RefChange | None = None
    status: Status | None = None
    commit: str = ""
    before: str = ""
    label: str = ""
    logins: tuple[str, ...] = ()
