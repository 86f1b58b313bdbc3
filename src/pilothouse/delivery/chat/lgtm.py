"""`/lgtm`: somebody who works here read it and finds it good.

Source: Prow's plugin lgtm (kubernetes-sigs/prow `pkg/plugins/lgtm/lgtm.go`); `store_tree_hash` is an option of it: the
label stays when commits are squashed or put on another base and the files are the same afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.delivery.chat.effects import AddLabel, Assign, Effect, RemoveLabel, RequestReview, Say
from pilothouse.delivery.chat.model import Event, Policy, PullRequest, same
from pilothouse.delivery.chat.reading import Command, commands
from pilothouse.delivery.chat.several import gives_lgtm, takes_lgtm

LABEL = "lgtm"
_TREE = "The lgtm is for the tree "


def on_command(pull: PullRequest, policy: Policy, event: Event, command: Command) -> Iterator[Effect]:
    """`/lgtm`, `/lgtm no-issue`, `/lgtm cancel`, `/remove-lgtm`."""
    if gives_lgtm(command) or takes_lgtm(command):
        yield from _change(pull, policy, event, wanted=gives_lgtm(command))


def on_review(pull: PullRequest, policy: Policy, event: Event) -> Iterator[Effect]:
    """A review that approves or asks for changes, where that counts. A command in its words goes before its state."""
    if any(gives_lgtm(one) or takes_lgtm(one) for one in commands(event.text)):
        return
    if policy.review_acts_as_lgtm and event.review in ("approved", "changes_requested"):
        yield from _change(pull, policy, event, wanted=event.review == "approved")


def on_push(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    """New commits were not read by anybody; unless their files are those that were."""
    if LABEL not in pull.labels:
        return
    if policy.store_tree_hash and pull.tree and pull.tree == _read_tree(pull, policy):
        return
    yield RemoveLabel(LABEL)
    yield Say("New changes are detected. The lgtm label is removed: they have to be read too.")
    yield from _ask_again(pull, policy)


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
    if (
        not own
        and not policy.skip_collaborators
        and event.author.lower() not in {login.lower() for login in pull.assignees}
    ):
        yield Assign((event.author,))
    if wanted and LABEL not in pull.labels:
        yield AddLabel(LABEL)
        if policy.store_tree_hash and pull.tree:
            yield Say(
                f"{_TREE}`{pull.tree}`: it stays when commits are squashed or rebased and the files are the same."
            )
    elif not wanted and LABEL in pull.labels:
        yield RemoveLabel(LABEL)
        yield from _ask_again(pull, policy)


def _ask_again(pull: PullRequest, policy: Policy) -> Iterator[Effect]:
    readers = tuple(sorted(login for login in pull.assignees if not same(login, pull.author)))
    if policy.store_tree_hash and readers:
        yield RequestReview(readers)


def _read_tree(pull: PullRequest, policy: Policy) -> str:
    """The tree that the last lgtm was for, by our own word."""
    told = [one.body for one in pull.comments if same(one.author, policy.bot) and one.body.startswith(_TREE)]
    return told[-1].split("`")[1] if told else ""


def _may(pull: PullRequest, policy: Policy, login: str) -> bool:
    if not policy.skip_collaborators:
        return policy.is_collaborator(login)
    named = {
        name for file in pull.files for name in policy.owners.approvers(file.path) | policy.owners.reviewers(file.path)
    }
    return login.lower() in named
