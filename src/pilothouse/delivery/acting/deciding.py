"""From an event of a forge and the pull request as it is: what is to be done, and a record of what was looked at."""

from __future__ import annotations

from dataclasses import replace

from pilothouse.delivery import chat
from pilothouse.delivery.acting.loading import Loaded
from pilothouse.delivery.chat.effects import Effect
from pilothouse.delivery.chat.model import EventKind
from pilothouse.delivery.chat.testing import OK, is_trusted
from pilothouse.delivery.forges import Event
from pilothouse.delivery.triggering.celling import CelError

_KINDS: dict[tuple[str, str], EventKind] = {
    ("pull_request", "opened"): "opened", ("pull_request", "synchronize"): "synchronize",
    ("pull_request", "closed"): "closed", ("pull_request", "merged"): "closed",
    ("pull_request", "reopened"): "reopened", ("pull_request", "ready"): "ready", ("pull_request", "draft"): "draft",
    ("comment", "created"): "comment", ("review", "submitted"): "review",
}  # fmt: skip
# What these change is not spoken of in chat, but what follows from it is decided anew.
_UPKEEP = ("pull_request", "comment", "review")


def chat_event(event: Event) -> chat.Event | None:
    """The event as chat knows it; None for one that chat has nothing to do with."""
    kind = _KINDS.get((event.kind, event.action))
    if event.kind == "pull_request" and event.action == "labeled" and event.label == OK and not event.sender_is_bot:
        # Whoever gives the label says the same as the command; chat decides whether he may.
        return chat.Event("comment", event.sender, "/ok-to-test")
    if kind is None:
        return chat.Event("edited", event.sender) if event.kind in _UPKEEP and event.number else None
    if kind == "comment" and event.comment is not None:
        return chat.Event(kind, event.comment.author, event.comment.body, is_bot=event.comment.is_bot)
    if kind == "review" and event.review is not None:
        review = event.review
        return chat.Event(kind, review.author, review.body, review.state, event.sender_is_bot)
    return chat.Event(kind, event.sender, is_bot=event.sender_is_bot, before=event.before)


def decide(loaded: Loaded, event: chat.Event) -> tuple[tuple[Effect, ...], tuple[dict[str, str], ...]]:
    """Effects in order, and records: `about` (a job, the author, the files), `subject`, and `words`."""
    return chat.decide(loaded.pull, loaded.policy, event).effects, tuple(records(loaded))


def with_lines(event: Event, loaded: Loaded, said: chat.Event) -> chat.Event:
    """A review with what it says on lines. Forgejo and Gitea tell of a review, without its id, and not of that; others
    tell of each comment on a line by itself, and here nothing is added.
    """
    review = event.review
    if said.kind != "review" or review is None or review.id:
        return said
    since = max((one.at for one in loaded.pull.reviews if one.author == said.author and one.at < review.at), default=0)
    words = [one.body for one in loaded.pull.comments if one.path and one.author == said.author and one.at > since]
    return replace(said, text="\n".join([said.text, *words])) if words else said


def _waits(loaded: Loaded, job: str, trusted: bool) -> str:
    """Why a job that fits runs, or does not yet."""
    if not trusted:
        return "it waits for /ok-to-test"
    if loaded.pull.draft and not loaded.policy.test_drafts:
        return f"it is a draft, which is not tested by itself: /test {job}, or say that it is ready for review"
    return "it runs by itself"


def records(loaded: Loaded) -> list[dict[str, str]]:
    """What was looked at, for whoever asks why."""
    found = []
    trusted = is_trusted(loaded.pull, loaded.policy)
    author = loaded.raw.author
    if loaded.policy.is_trusted(author):
        words = f"{author} works here"
    elif trusted:
        words = f"{author} does not work here; /ok-to-test was said of {loaded.pull.head[:12]}"
    else:
        words = f"{author} does not work here, and nobody said /ok-to-test of {loaded.pull.head[:12] or 'its head'}"
    found.append({"about": "author", "subject": author, "words": words})
    if loaded.from_base:
        where = f"of {loaded.pull.base} at {loaded.base[:12]}"
    else:
        where = f"of the merge {loaded.revision[:12]}" if loaded.revision else "of the change itself"
    found.append({"about": "files", "subject": "jobs", "words": f"jobs are those {where}"})
    problems = [*loaded.config.broken, *(f"{path}: {reason}" for path, reason in loaded.policy.owners.broken)]
    if loaded.settings.broken:
        problems.append(loaded.settings.broken)
    found += [{"about": "files", "subject": "broken", "words": problem} for problem in problems]
    for definition in loaded.config.of("presubmit"):
        try:
            reason = definition.why_not(loaded.occasion)
        except CelError as error:
            reason = str(error)
        words = reason or _waits(loaded, definition.name, trusted)
        found.append({"about": "job", "subject": definition.name, "words": words})
    if loaded.conflict:
        found.append({"about": "merge", "subject": loaded.pull.base, "words": loaded.conflict})
    return found
