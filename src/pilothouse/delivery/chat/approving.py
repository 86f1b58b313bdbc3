"""`/approve`: is every changed file approved by an owner? Decided from all that was said (Prow, plugin approve)."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.delivery.chat.model import Policy, PullRequest
from pilothouse.delivery.chat.reading import commands

LABEL = "approved"
# How the one comment begins that says what is missing, as Prow's does.
NOTICE = "[APPROVALNOTIFIER]"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved, which owners' files still miss an approver, and whom to ask for them.

    `covered` are the files that have one; `able` all who may approve some of the change.
    """

    approvers: frozenset[str]
    missing: tuple[str, ...]
    suggested: tuple[str, ...]
    covered: tuple[str, ...] = ()
    able: frozenset[str] = frozenset()

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
    covered: set[str] = set()
    able: set[str] = set()
    for file in pull.files:
        may, owners = policy.owners.approvers(file.path), policy.owners.owners_file(file.path)
        able |= may
        if may & approvers:
            covered.add(owners)
        else:
            missing[owners] = policy.owners.leaf_approvers(file.path)
    return Approval(
        approvers, tuple(sorted(missing)), _fewest(missing, pull), tuple(sorted(covered - missing.keys())),
        frozenset(able),
    )  # fmt: skip


def notice(pull: PullRequest, state: Approval) -> str:
    """What the one comment about approval says: who has approved, what is missing, and whom to ask."""
    said = ", ".join(f"`{login}`" for login in sorted(state.approvers & state.able))
    by = f" by {said}" if said else ""
    if state.complete:
        return f"{NOTICE} This pull request is **approved**{by}."
    ask = ", ".join(f"@{login}" for login in state.suggested) or "nobody: no owner is named"
    files = "\n".join([*(f"- ~~`{path}`~~" for path in state.covered), *(f"- `{path}`" for path in state.missing)])
    begun = f"\n\nApproved in part{by}." if said else ""
    return (
        f"{NOTICE} This pull request is **not approved**.{begun}\n\nAsk: {ask}\n\nAn approver of each of these "
        f"has to write `/approve`:\n{files}"
    )


def _by_comment(text: str, policy: Policy) -> bool | None:
    """What a comment says of approval; the last of its commands counts."""
    said = None
    for command in commands(text):
        cancels = "cancel" in command.rest.lower()
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
