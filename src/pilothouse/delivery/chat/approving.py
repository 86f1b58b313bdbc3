"""`/approve`: is every changed file approved by an owner? Decided from all that was said (Prow, plugin approve)."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.delivery.chat.model import Policy, PullRequest
from pilothouse.delivery.chat.reading import commands

LABEL = "approved"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved, which owners' files still miss an approver, and whom to ask for them."""

    approvers: frozenset[str]
    missing: tuple[str, ...]
    suggested: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def approval(pull: PullRequest, policy: Policy) -> Approval:
    """The state of approval by comments and reviews in the order of time; the author counts as one who approves."""
    said: dict[str, bool] = {}
    if not policy.require_self_approval:
        said[pull.author.lower()] = True
    spoken = [(comment.at, number, comment.author, _by_comment(comment.body, policy))
              for number, comment in enumerate(pull.comments) if not comment.is_bot]  # fmt: skip
    if not policy.ignore_review_state:
        for number, review in enumerate(pull.reviews):
            state = {"approved": True, "changes_requested": False}.get(review.state)
            inside = _by_comment(review.body, policy)
            spoken.append((review.at, number, review.author, inside if inside is not None else state))
    for _, _, author, yes in sorted(spoken, key=lambda one: (one[0], one[1])):
        if yes is not None:
            said[author.lower()] = yes
    approvers = frozenset(login for login, yes in said.items() if yes)
    missing: dict[str, frozenset[str]] = {}
    for file in pull.files:
        if not policy.owners.approvers(file.path) & approvers:
            missing[policy.owners.owners_file(file.path)] = policy.owners.leaf_approvers(file.path)
    return Approval(approvers, tuple(sorted(missing)), _fewest(missing, pull))


def _by_comment(text: str, policy: Policy) -> bool | None:
    """What a comment says of approval; the last of its commands counts."""
    said = None
    for command in commands(text):
        cancels = command.rest.lower().startswith("cancel")
        if command.word == "approve" or (command.word == "lgtm" and policy.lgtm_acts_as_approve):
            said = not cancels
        elif command.word == "remove-approve":
            said = False
    return said


def _fewest(missing: dict[str, frozenset[str]], pull: PullRequest) -> tuple[str, ...]:
    """A small set of people who together can approve what is missing: who covers most, first. Not the author."""
    left, chosen = dict(missing), []
    while left:
        counts: dict[str, int] = {}
        for people in left.values():
            for login in people - {pull.author.lower()}:
                counts[login] = counts.get(login, 0) + 1
        if not counts:
            break
        # Ties are turned by the number, so that not always the same person is asked.
        best = min(counts, key=lambda login: (-counts[login], (hash_of(login) + pull.number) % 97, login))
        chosen.append(best)
        left = {file: people for file, people in left.items() if best not in people}
    return tuple(chosen)


def hash_of(text: str) -> int:
    """A number of a text that is the same in every process."""
    return sum(place * ord(letter) for place, letter in enumerate(text, 1))
