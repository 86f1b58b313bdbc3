"""Two looks at a repository as the events that lie between them. From values to values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pilothouse.delivery.forges import NO_COMMIT, Event, EventAction, PullRequest, RefChange
from pilothouse.delivery.polling.looking import Look, digest
from pilothouse.delivery.polling.seen import SeenPull, SeenRepository


def events(forge: str, repository: str, before: SeenRepository, after: Look) -> list[Event]:
    """What happened. Who did it is known of comments and reviews only.

    Each event's id follows from what happened, so that a look that is compared twice tells nothing twice.
    """
    start = Event("", forge, repository, "push")
    return [
        *_refs(start, "refs/heads/", before.branches, after.seen.branches),
        *_refs(start, "refs/tags/", before.tags, after.seen.tags),
        *(event for number in sorted(after.pulls) for event in _pull(start, before, after, number)),
    ]


def _refs(start: Event, prefix: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Event]:
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, NO_COMMIT), after.get(name, NO_COMMIT)
        if was != now:
            ref = RefChange(prefix + name, was, now)
            yield replace(start, delivery=f"poll:push:{start.repository}:{ref.ref}:{was[:20]}:{now[:20]}", ref=ref)


def _pull(start: Event, before: SeenRepository, after: Look, number: int) -> Iterator[Event]:
    pull, last, seen = after.pulls[number], before.pulls.get(number), after.seen.pulls.get(number)
    base = replace(start, kind="pull_request", number=number, pull=pull, at=pull.updated)
    if last is None:
        # Its comments and reviews are part of what it is now.
        yield _told(base, "opened" if pull.created == pull.updated else "reopened", f"{pull.updated}")
    elif seen is None:
        yield _told(base, "merged" if pull.merged else "closed", f"{pull.updated}")
    else:
        yield from _fields(base, last, seen)
    if seen is not None:
        yield from _words(base, last, after, number)


def _fields(base: Event, last: SeenPull, seen: SeenPull) -> Iterator[Event]:
    if last.head != seen.head:
        yield replace(_told(base, "synchronize", seen.head), before=last.head)
    if (last.title, last.body, last.base) != (seen.title, seen.body, seen.base):
        yield _told(base, "edited", f"{seen.updated}")
    if last.draft != seen.draft:
        yield _told(base, "draft" if seen.draft else "ready", f"{seen.updated}")
    if last.milestone != seen.milestone:
        yield _told(base, "milestoned" if seen.milestone else "demilestoned", f"{seen.updated}")
    pairs: tuple[tuple[frozenset[str], frozenset[str], EventAction, EventAction], ...] = (
        (last.labels, seen.labels, "labeled", "unlabeled"),
        (last.assignees, seen.assignees, "assigned", "unassigned"),
        (last.reviewers, seen.reviewers, "review_requested", "review_request_removed"),
    )
    for was, now, came, went in pairs:
        for action, names in ((came, now - was), (went, was - now)):
            for name in sorted(names):
                more = {"label": name} if came == "labeled" else {"logins": (name,)}
                yield replace(_told(base, action, f"{digest(name)}:{seen.updated}"), **more)


def _words(base: Event, last: SeenPull | None, after: Look, number: int) -> Iterator[Event]:
    known: Mapping[str, str] = last.comments if last else {}
    for comment in after.comments.get(number, ()):
        words = digest(comment.body)
        if known.get(comment.id) == words:
            continue
        action: EventAction = "edited" if comment.id in known else "created"
        told = _told(base, action, f"{comment.id}:{words}", "comment")
        yield replace(
            told, comment=comment, sender=comment.author, sender_is_bot=comment.is_bot, at=comment.at or base.at
        )
    for review in after.reviews.get(number, ()):
        if not last or review.id not in last.reviews:
            told = _told(base, "submitted", review.id, "review")
            yield replace(told, kind="review", review=review, sender=review.author, at=review.at or base.at)


def _told(base: Event, action: EventAction, what: str, kind: str = "pull_request") -> Event:
    identity = f"poll:{kind}:{base.repository}#{base.number}:{action}:{what}"
    return replace(base, kind=kind, action=action, delivery=identity)  # type: ignore[arg-type]


def author_opened(event: Event) -> Event:
    """Who opens a pull request is who wrote it, which a look can tell after all."""
    pull: PullRequest | None = event.pull
    return replace(event, sender=pull.author) if event.action == "opened" and pull else event
