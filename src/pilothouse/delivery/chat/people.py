"""`/assign`, `/cc`, and who is asked to review a new change.

Source: Prow's plugins assign and blunderbuss (https://docs.prow.k8s.io/docs/components/plugins/, kubernetes-sigs/prow
`pkg/plugins/assign/assign.go`, `blunderbuss/blunderbuss.go`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilothouse.delivery.chat.approving import hash_of
from pilothouse.delivery.chat.effects import Assign, Effect, RequestReview, Say, Unassign, UnrequestReview
from pilothouse.delivery.chat.model import Event, Policy, PullRequest, same
from pilothouse.delivery.chat.reading import Command, commands

_LOGIN = re.compile(r"@?[\w-]+(?:/[\w-]+)?")


def assign(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/assign [@login ...]`, `/unassign [@login ...]`: oneself when nobody is named."""
    logins = _logins(command, event)
    if logins is None:
        return
    if command.word == "unassign":
        yield Unassign(logins)
        return
    known = {comment.author.lower() for comment in pull.comments} | {event.author.lower()}
    strangers = [login for login in logins if not policy.is_trusted(login) and login.lower() not in known]
    if strangers:
        yield Say(f"Only people who work here or have commented can be assigned; not: {', '.join(strangers)}.")
    if chosen := tuple(login for login in logins if login not in strangers):
        yield Assign(chosen)


def review(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/cc [@login ...]`, `/uncc [@login ...]`."""
    logins = _logins(command, event)
    if logins is None:
        return
    if command.word == "uncc":
        yield UnrequestReview(logins)
        return
    if any(same(login, pull.author) for login in logins):
        yield Say("The author of a pull request cannot review it.")
    if chosen := tuple(login for login in logins if not same(login, pull.author)):
        yield RequestReview(chosen)


def suggested(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """Reviewers of the changed files: who owns the most changed lines, nearest owners first; not the author."""
    asked = any(command.word == "cc" for command in commands(pull.body))
    if pull.draft or pull.requested_reviewers or asked:
        return
    needed = {login for file in pull.files for login in policy.owners.required_reviewers(file.path)}
    weights: dict[str, int] = {}
    for file in pull.files:
        people = policy.owners.reviewers(file.path) or policy.owners.leaf_approvers(file.path)
        for login in people - {pull.author.lower()}:
            weights[login] = weights.get(login, 0) + file.additions + file.deletions + 1
    ranked = sorted(weights, key=lambda login: (-weights[login], (hash_of(login) * 31 + pull.number) % 101, login))
    chosen = dict.fromkeys([*ranked[: policy.reviewers], *sorted(needed - {pull.author.lower()})])
    if chosen:
        yield RequestReview(tuple(chosen))


def auto_cc(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/auto-cc`."""
    yield from suggested(pull, policy)


def _logins(command: Command, event: Event) -> tuple[str, ...] | None:
    """Those that are named, or the one who writes; None when it is no list of logins."""
    if not all(_LOGIN.fullmatch(word) for word in command.words):
        return None
    return tuple(dict.fromkeys(word.lstrip("@") for word in command.words)) or (event.author,)
