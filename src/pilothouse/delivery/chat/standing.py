"""`/close`, `/reopen`, `/retitle`, `/cherry-pick`, `/milestone`, `/why`: how a pull request stands.

Source: Prow's plugins lifecycle, retitle, milestone and the external plugin cherrypicker
(https://docs.prow.k8s.io/docs/components/plugins/, kubernetes-sigs/prow `pkg/plugins`). `/why` is our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilothouse.delivery.chat.blocking import CLOSES
from pilothouse.delivery.chat.effects import (
    CherryPick,
    Close,
    Effect,
    Explain,
    Reopen,
    Retitle,
    Say,
    SetMilestone,
)
from pilothouse.delivery.chat.model import Event, Policy, PullRequest, same
from pilothouse.delivery.chat.quoting import quoted
from pilothouse.delivery.chat.reading import Command

_OLD = frozenset({"lifecycle/stale", "lifecycle/rotten"})
_LONGEST_TITLE = 256
_MENTION = re.compile(r"\B@[\w-]+")


def close(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/close`: the author and collaborators; anybody once it is stale."""
    if pull.state != "open":
        return
    if command.rest.lower() == "not-planned":
        yield Say("Pull requests cannot be closed as not planned; write `/close`.")
    elif command.rest:
        return
    elif _owns(pull, policy, event) or pull.labels & _OLD:
        yield Close()
        yield Say(f"It is closed, as `{quoted(event.author)}` asked.")
    else:
        yield Say("You cannot close an active pull request unless you wrote it or work on this repository.")


def reopen(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/reopen`: the author and collaborators; what is merged stays."""
    if pull.state == "open" or command.rest:
        return
    if pull.state == "merged":
        yield Say("It is merged already; open a new pull request to change more.")
    elif _owns(pull, policy, event):
        yield Reopen()
        yield Say(f"It is open again, as `{quoted(event.author)}` asked.")
    else:
        yield Say("You cannot reopen a pull request unless you wrote it or work on this repository.")


def retitle(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/retitle TEXT`: people who work here."""
    title = command.rest.strip()
    if not policy.is_trusted(event.author):
        yield Say("Retitling is for people who work here.")
    elif not title:
        yield Say("A title cannot be empty.")
    elif _MENTION.search(title):
        yield Say("A title cannot mention people.")
    elif CLOSES.search(title):
        yield Say("A title cannot have words in it that close issues by themselves, as `fixes #1`.")
    elif title != pull.title:
        yield Retitle(title[:_LONGEST_TITLE])


def cherry_pick(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/cherry-pick BRANCH [BRANCH ...]`: after the merge, a pull request for each branch."""
    if not policy.is_trusted(event.author):
        yield Say("`/cherry-pick` is for people who work here.")
        return
    if pull.state == "closed":
        yield Say("It was closed and not merged: there is nothing to put on another branch.")
        return
    for branch in dict.fromkeys(command.words):
        if branch not in policy.branches:
            known = ", ".join(f"`{one}`" for one in sorted(policy.branches))
            yield Say(f"There is no branch `{quoted(branch)}`; there are {known}.")
        elif branch == pull.base:
            yield Say(f"It is made for `{branch}` itself.")
        else:
            yield CherryPick(branch, event.author)


def milestone(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/milestone TITLE`, `/milestone clear`: the maintainers of milestones."""
    if not command.rest:
        return
    if event.author.lower() not in {login.lower() for login in policy.milestone_maintainers}:
        yield Say("Milestones are for their maintainers to set.")
    elif command.rest.lower() == "clear":
        yield SetMilestone("")
    elif command.rest in policy.milestones:
        yield SetMilestone(command.rest)
    else:
        known = ", ".join(f"`{one}`" for one in sorted(policy.milestones)) or "none"
        yield Say(f"There is no milestone `{quoted(command.rest)}`; there are {known}. `clear` takes it away.")


def why(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/why`: why this does not merge, or a job did not run."""
    yield Explain()


def _owns(pull: PullRequest, policy: Policy, event: Event) -> bool:
    return same(event.author, pull.author) or policy.is_collaborator(event.author)
