"""What a command sees: the pull request as it is, the event, and the repository's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import re2

from pilothouse.delivery.chat.generated import Generated
from pilothouse.delivery.forges.model import ChangedFile, Comment, Review, ReviewState, Status
from pilothouse.delivery.owners import OwnersTree

EventKind = Literal["comment", "review", "opened", "synchronize", "edited", "closed", "reopened", "ready", "draft"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request. Logins are compared without case.

    `base_sha` is the tip of its base branch; `waits_for` says what it depends on that is not merged yet. `tree` is the
    tree of its head, `base_before` the base branch that it was last seen with. `owners_problems` says what is wrong
    with files of owners that it changes (path, reason).
    """

    number: int
    author: str
    title: str = ""
    body: str = ""
    base: str = "main"
    head: str = ""
    draft: bool = False
    state: Literal["open", "closed", "merged"] = "open"
    labels: frozenset[str] = frozenset()
    assignees: frozenset[str] = frozenset()
    requested_reviewers: frozenset[str] = frozenset()
    files: tuple[ChangedFile, ...] = ()
    statuses: Mapping[str, Status] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
    reviews: tuple[Review, ...] = ()
    conflicts: bool = False
    commits: tuple[str, ...] = ()
    trusted_head: str = ""
    merge_commits: bool = False
    base_sha: str = ""
    waits_for: tuple[str, ...] = ()
    tree: str = ""
    base_before: str = ""
    owners_problems: tuple[tuple[str, str], ...] = ()
    milestone: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A presubmit: when it runs by itself, what asks for it, and the context that it reports.

    One to be `run_before_merge` runs in the merge pool whether or not it runs by itself before.
    """

    name: str
    context: str = ""
    always_run: bool = False
    optional: bool = False
    run_if_changed: str = ""
    skip_if_only_changed: str = ""
    branches: tuple[str, ...] = ()
    skip_branches: tuple[str, ...] = ()
    trigger: str = ""
    rerun: str = ""
    run_before_merge: bool = False

    @property
    def reports(self) -> str:
        """Its context."""
        return self.context or self.name

    @property
    def rerun_command(self) -> str:
        """What asks for it."""
        return self.rerun or f"/test {self.name}"

    @property
    def automatic(self) -> bool:
        """Whether it can run without being asked for."""
        return self.always_run or bool(self.run_if_changed or self.skip_if_only_changed)

    def is_for(self, branch: str) -> bool:
        """Whether it is for changes of a branch."""
        if any(re2.search(pattern, branch) for pattern in self.skip_branches):
            return False
        return not self.branches or any(re2.search(pattern, branch) for pattern in self.branches)

    def wanted(self, pull: PullRequest) -> bool:
        """Whether it runs by itself for this change."""
        if not self.is_for(pull.base):
            return False
        if self.run_if_changed:
            return any(re2.search(self.run_if_changed, file.path) for file in pull.files)
        if self.skip_if_only_changed:
            return not pull.files or not all(re2.search(self.skip_if_only_changed, f.path) for f in pull.files)
        return self.always_run

    def guards(self, pull: PullRequest) -> bool:
        """Whether it has to be green on what this change is merged as."""
        if self.run_before_merge:
            return self.is_for(pull.base)
        return not self.optional and self.wanted(pull)

    def asked_by(self, text: str) -> bool:
        """Whether a comment asks for it by its own trigger."""
        pattern = self.trigger or rf"(?m)^/test( | .* ){re2.escape(self.name)},?($|\s.*)"
        return bool(re2.search(pattern, text))


@dataclass(frozen=True, slots=True)
class RequiredLabel:
    """A pull request of a `branch` (an expression for all of its name; empty: any) has to have a label that `regexp`
    matches; until then it has `missing_label`, and `missing_comment` says once what to do.
    """

    regexp: str
    missing_label: str
    missing_comment: str = ""
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The repository's rules: people, labels, jobs, owners and options.

    `restricted_labels` maps a label to the logins who may set it; `branches` are those a change can be picked to.
    """

    collaborators: frozenset[str] = frozenset()
    admins: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    bot: str = "pilothouse"
    labels: frozenset[str] = frozenset()
    additional_labels: frozenset[str] = frozenset()
    restricted_labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    milestones: frozenset[str] = frozenset()
    milestone_maintainers: frozenset[str] = frozenset()
    branches: frozenset[str] = frozenset({"main"})
    jobs: tuple[Job, ...] = ()
    owners: OwnersTree = field(default_factory=OwnersTree)
    review_acts_as_lgtm: bool = True
    lgtm_acts_as_approve: bool = False
    require_self_approval: bool = False
    ignore_review_state: bool = False
    skip_collaborators: bool = False
    store_tree_hash: bool = False
    allow_top_level_owners: bool = True
    test_drafts: bool = False
    require_dco: bool = False
    block_merge_commits: bool = False
    blocked_paths: tuple[str, ...] = ()
    generated_paths: tuple[str, ...] = ()
    generated: Generated = field(default_factory=Generated)
    reviewers: int = 2
    required_labels: tuple[RequiredLabel, ...] = ()

    def is_trusted(self, login: str) -> bool:
        """Whether somebody's changes may be tested without asking."""
        return _in(login, self.collaborators | self.members | self.admins)

    def is_collaborator(self, login: str) -> bool:
        """Whether somebody works on this repository."""
        return _in(login, self.collaborators | self.admins)

    def is_member(self, login: str) -> bool:
        """Whether somebody belongs to the organisation."""
        return _in(login, self.members | self.admins)

    def is_admin(self, login: str) -> bool:
        """Whether somebody rules this repository."""
        return _in(login, self.admins)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: `author` did it, `text` is the comment's or review's."""

    kind: EventKind
    author: str
    text: str = ""
    review: ReviewState = "commented"
    is_bot: bool = False
    before: str = ""


def same(one: str, other: str) -> bool:
    """Whether two logins are one person's."""
    return one.lower().lstrip("@") == other.lower().lstrip("@")


def _in(login: str, people: frozenset[str]) -> bool:
    return any(same(login, person) for person in people)
