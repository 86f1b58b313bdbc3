"""From an event on a pull request to effects: every command of a comment, then what the change itself asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pilothouse.delivery.chat import (
    approving,
    blocking,
    labelling,
    lgtm,
    overriding,
    people,
    requiring,
    standing,
    testing,
)
from pilothouse.delivery.chat.effects import AddLabel, Effect, RemoveLabel, Say
from pilothouse.delivery.chat.model import Event, Policy, PullRequest
from pilothouse.delivery.chat.reading import Command, commands
from pilothouse.delivery.chat.several import counting
from pilothouse.delivery.forges.model import Comment, Review

Handler = Callable[[PullRequest, Policy, Event, Command], Iterator[Effect]]

_HANDLERS: dict[str, Handler] = {
    "lgtm": lgtm.on_command, "remove-lgtm": lgtm.on_command,
    "ok-to-test": testing.ok_to_test, "skip": testing.skip, "cancel": testing.cancel,
    "assign": people.assign, "unassign": people.assign, "cc": people.review, "uncc": people.review,
    "auto-cc": people.auto_cc,
    "hold": labelling.hold, "unhold": labelling.hold, "remove-hold": labelling.hold,
    "label": labelling.label, "remove-label": labelling.label,
    "lifecycle": labelling.lifecycle, "remove-lifecycle": labelling.lifecycle,
    "close": standing.close, "reopen": standing.reopen, "retitle": standing.retitle, "override": overriding.override,
    "override-sticky": overriding.override, "override-cancel": overriding.cancel,
    "cherry-pick": standing.cherry_pick, "cherrypick": standing.cherry_pick, "milestone": standing.milestone,
    "why": standing.why, "verify-owners": blocking.verify_owners, "check-dco": blocking.check_dco,
    **{word: labelling.family for name in labelling.FAMILIES for word in (name, f"remove-{name}")},
}  # fmt: skip
# Prow's plugins for these do not ask whether it is open.
_ON_CLOSED = {
    "reopen", "cherry-pick", "cherrypick", "label", "remove-label", "milestone", "why", "assign", "unassign", "cc",
    "uncc", "hold", "unhold", "remove-hold", "lifecycle", "remove-lifecycle",
    *(word for name in labelling.FAMILIES for word in (name, f"remove-{name}")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, in order and without doubles."""

    effects: tuple[Effect, ...]

    def of(self, kind: type) -> list[Effect]:
        """The effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]


def decide(pull: PullRequest, policy: Policy, event: Event) -> Decision:
    """What an event asks for. Pure: the same state and event give the same effects."""
    if event.is_bot or event.author.lower() == policy.bot.lower():
        return Decision(tuple(_by_itself(pull, policy)) if event.kind != "comment" else ())
    found = [*_effects(pull, policy, event)]
    if pull.state == "open" or event.kind in ("reopened", "opened"):
        found += [*_upkeep(pull, policy), *_approved(_with(pull, event), policy)]
        found += requiring.labels(_labelled(pull, found), policy)
    return Decision(tuple(dict.fromkeys(found)))


def _effects(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    match event.kind:
        case "comment":
            yield from _by_commands(pull, policy, event)
        case "review":
            yield from lgtm.on_review(pull, policy, event)
            yield from _by_commands(pull, policy, event)
        case "opened" | "ready" | "reopened":
            yield from testing.on_opened(pull, policy, event)
            if event.kind != "reopened":
                yield from people.suggested(pull, policy)
            if event.kind == "opened":
                yield from _by_description(pull, policy, event)
        case "synchronize":
            yield from testing.on_push(pull, policy, event)
            yield from lgtm.on_push(pull, policy)
        case "edited":
            yield from testing.on_edited(pull, policy)
        case "draft":
            yield from testing.on_draft(pull, policy, event)
        case "closed":
            yield from testing.on_closed(pull)


def _by_commands(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    found = list(commands(event.text))
    for command in counting(found):
        handler = _HANDLERS.get(command.word)
        if handler and (pull.state == "open" or command.word in _ON_CLOSED):
            done = [*handler(pull, policy, event, command)]
            yield from done
            # What a line did is so for the next one.
            pull = _labelled(pull, done)
    yield from testing.on_comment(pull, policy, event, found)


def _by_description(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    """A description's commands count once, when it is opened; what tests it was decided on already."""
    for command in counting(commands(pull.body)):
        handler = _HANDLERS.get(command.word)
        if handler and command.word not in ("ok-to-test", "skip"):
            yield from handler(pull, policy, event, command)


def _by_itself(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    yield from _upkeep(pull, policy)
    if pull.state == "open":
        yield from requiring.labels(pull, policy)


def _upkeep(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    if pull.state == "open":
        yield from blocking.labels(pull, policy)
        yield from overriding.expired(pull, policy)


def _labelled(pull: PullRequest, found: list[Effect]) -> PullRequest:
    """The pull request with the labels that it has once all of this is done."""
    labels = set(pull.labels)
    for effect in found:
        if isinstance(effect, AddLabel):
            labels.add(effect.name)
        elif isinstance(effect, RemoveLabel):
            labels.discard(effect.name)
    return replace(pull, labels=frozenset(labels))


def _approved(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """The label `approved` follows from all that was said; the notice says what is missing."""
    if not policy.owners.files:
        return
    state = approving.approval(pull, policy)
    if state.complete and approving.LABEL not in pull.labels:
        yield AddLabel(approving.LABEL)
    elif not state.complete and approving.LABEL in pull.labels:
        yield RemoveLabel(approving.LABEL)
    told = next((one.body for one in pull.comments if one.body.startswith(approving.NOTICE)), "")
    notice = approving.notice(pull, state)
    if notice != told and (told or not state.complete):
        yield Say(notice)


def _with(pull: PullRequest, event: Event) -> PullRequest:
    """The pull request with what was just said, when the state does not have it yet."""
    if event.kind == "comment" and not any(c.body == event.text and c.author == event.author for c in pull.comments):
        last = max((comment.at for comment in pull.comments), default=0.0)
        return replace(pull, comments=(*pull.comments, Comment(event.author, event.text, last + 1)))
    if event.kind == "review" and not any(r.author == event.author and r.state == event.review for r in pull.reviews):
        last = max((review.at for review in pull.reviews), default=0.0)
        return replace(pull, reviews=(*pull.reviews, Review(event.author, event.review, event.text, last + 1)))
    return pull
