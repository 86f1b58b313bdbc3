"""Looking at a repository: one list, and more only of the pull requests that changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from pilothouse.delivery.forges import Comment, PullRequest, ReadingForge, Review
from pilothouse.delivery.polling.seen import SeenPull, SeenRepository

# Forges tell when something changed in whole seconds, and their lists lag: what changed just now is read once more.
_AGAIN_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and what events need of it."""

    seen: SeenRepository
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    comments: dict[int, tuple[Comment, ...]] = field(default_factory=dict)
    reviews: dict[int, tuple[Review, ...]] = field(default_factory=dict)


def look(forge: ReadingForge, repository: str, before: SeenRepository | None, now: float) -> Look:
    """One look. Raises the errors of `forges.errors`."""
    known = before.pulls if before else {}
    found = Look(SeenRepository(branches=dict(forge.branches(repository)), tags=dict(forge.tags(repository))))
    for pull in forge.pull_requests(repository, "open"):
        found.pulls[pull.number] = pull
        last = known.get(pull.number)
        if last and last.updated == pull.updated and last.head == pull.head.sha and now - pull.updated > _AGAIN_SECONDS:
            found.seen.pulls[pull.number] = last
            continue
        found.comments[pull.number] = forge.comments(repository, pull.number)
        found.reviews[pull.number] = forge.reviews(repository, pull.number)
        found.seen.pulls[pull.number] = _seen(pull, found.comments[pull.number], found.reviews[pull.number])
    for number in known.keys() - found.pulls.keys():
        found.pulls[number] = forge.pull_request(repository, number)
    return found


def digest(body: str) -> str:
    """A short hash of words, to see that they changed."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _seen(pull: PullRequest, comments: tuple[Comment, ...], reviews: tuple[Review, ...]) -> SeenPull:
    return SeenPull(
        pull.number,
        pull.head.sha,
        pull.base.ref,
        pull.title,
        digest(pull.body),
        pull.draft,
        pull.updated,
        pull.labels,
        pull.assignees,
        pull.requested_reviewers,
        pull.milestone,
        {comment.id: digest(comment.body) for comment in comments},
        frozenset(review.id for review in reviews),
    )
