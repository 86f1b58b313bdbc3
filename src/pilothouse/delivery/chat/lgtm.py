"""`/lgtm`: somebody who works here read it and finds it good (Prow, plugin lgtm)."""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.delivery.chat.effects import AddLabel, Assign, Effect, RemoveLabel, RequestReview, Say
from pilothouse.delivery.chat.model import Event, Policy, PullRequest, same
from pilothouse.delivery.chat.reading import Command

LABEL = "lgtm"


def on_command(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/lgtm`, `/lgtm no-issue`, `/lgtm cancel`, `/remove-lgtm`."""
    rest = command.rest.lower()
    if command.word == "lgtm" and rest not in ("", "no-issue", "cancel"):
        return
    yield from _change(pull, policy, event, wanted=command.word == "lgtm" and rest != "cancel")


def on_review(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    """A review that approves or asks for changes, where that counts."""
    if policy.review_acts_as_lgtm and event.review in ("approved", "changes_requested"):
        yield from _change(pull, policy, event, wanted=event.review == "approved")


def on_push(pull: PullRequest) -> Iterator[Effect]:
    """New commits were not read by anybody."""
    if LABEL in pull.labels:
        yield RemoveLabel(LABEL)
        yield Say("New changes are detected. The lgtm label is removed: they have to be read too.")


def _change(pull: PullRequest, policy: Policy, event: Event, wanted: bool) -> Iterator[Effect]:
    if pull.state != "open":
        return
    own = same(event.author, pull.author)
    if own and wanted:
        yield Say("You cannot lgtm your own pull request.")
        return
    if not own and not _may(pull, policy, event.author):
        who = "reviewers and approvers of the changed files" if policy.skip_collaborators else "collaborators"
        yield Say(f"`/lgtm` is for {who} of this repository; @{event.author} is none of them.")
        return
    if not own and event.author.lower() not in {login.lower() for login in pull.assignees}:
        yield Assign((event.author,))
    if wanted and LABEL not in pull.labels:
        yield AddLabel(LABEL)
    elif not wanted and LABEL in pull.labels:
        yield RemoveLabel(LABEL)
        if own:
            yield RequestReview(tuple(sorted(login for login in pull.assignees if not same(login, pull.author))))


def _may(pull: PullRequest, policy: Policy, login: str) -> bool:
    if not policy.skip_collaborators:
        return policy.is_collaborator(login)
    named = {
        name for file in pull.files for name in policy.owners.approvers(file.path) | policy.owners.reviewers(file.path)
    }
    return login.lower() in named
