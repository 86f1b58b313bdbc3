"""What Pilothouse asks of a forge. GitHub, GitLab, Forgejo and the built-in forge answer to it.

Calls block and may come from any thread. Each may be repeated: what is so already stays so, and is no error.
All raise the errors of `pilothouse.delivery.forges.errors`: `MissingError` for what is not there, `AccessError`,
`UnavailableError`; others are named where they can come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from pilothouse.delivery.forges.model import (
    ChangedFile,
    Comment,
    Commit,
    LineComment,
    MergeMethod,
    Permission,
    Published,
    PullRequest,
    PullState,
    Reaction,
    Remote,
    Repository,
    Review,
    ReviewState,
    Status,
    TreeEntry,
    User,
)


class ReadingForge(Protocol):
    """The part of a forge that only looks."""

    @property
    def name(self) -> str:
        """What it is called in the configuration and in events: `local`, `github`, `gitlab.example.org`."""

    @property
    def me(self) -> User:
        """Who Pilothouse is there."""

    def at_once(self) -> AbstractContextManager[None]:
        """Many questions at once: where a forge can, it answers this thread from one state of itself meanwhile."""

    def repositories(self) -> tuple[Repository, ...]:
        """All that Pilothouse may work on, by name."""

    def repository(self, repository: str) -> Repository:
        """One, by its full name."""

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """One pull request."""

    def pull_requests(
        self, repository: str, state: PullState | None = "open", most: int | None = None
    ) -> tuple[PullRequest, ...]:
        """Those in a state (None: all), newest first, `most` of them; labels and people included, `mergeable` perhaps
        not.
        """

    def files(self, repository: str, number: int) -> tuple[ChangedFile, ...]:
        """What a pull request changes against the merge base, by path."""

    def diff(self, repository: str, number: int) -> str:
        """The same as one unified diff."""

    def changed_files(self, repository: str, before: str, after: str) -> tuple[ChangedFile, ...]:
        """What lies between two commits, for a push; `before` may be 40 zeros: all of `after`'s files."""

    def commits(self, repository: str, number: int) -> tuple[Commit, ...]:
        """The commits of a pull request, oldest first."""

    def commit(self, repository: str, ref: str) -> Commit:
        """The commit that a branch, a tag or a hash stands for."""

    def comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        """The comments of a pull request, those on its lines too, oldest first; reviews are not among them."""

    def reviews(self, repository: str, number: int) -> tuple[Review, ...]:
        """The reviews of a pull request, oldest first."""

    def statuses(self, repository: str, sha: str) -> Mapping[str, Status]:
        """The newest status for each context of a commit."""

    def read_file(self, repository: str, path: str, ref: str = "") -> bytes:
        """A file at a ref (default: the default branch). `InvalidError` when it is a folder or above 10 MB."""

    def read_folder(self, repository: str, path: str = "", ref: str = "", deep: bool = False) -> tuple[TreeEntry, ...]:
        """What a folder holds at a ref, with all that is below when `deep`; empty when there is no such folder."""

    def branches(self, repository: str) -> Mapping[str, str]:
        """The branches and their commits."""

    def tags(self, repository: str) -> Mapping[str, str]:
        """The tags and the commits (not the tag objects) that they stand for."""

    def required_contexts(self, repository: str, branch: str) -> frozenset[str]:
        """The contexts that the forge wants green before it merges into a branch; `*` and `?` may be in them.

        Empty where the branch is not protected, or the forge knows no such thing (the built-in forge, GitLab).
        """

    def labels(self, repository: str) -> frozenset[str]:
        """The labels that can be given."""

    def milestones(self, repository: str) -> frozenset[str]:
        """The open milestones."""

    def permission(self, repository: str, login: str) -> Permission:
        """What somebody may do in a repository; `none` for who is unknown."""

    def collaborators(self, repository: str) -> Mapping[str, Permission]:
        """Those who may do more than read, and what."""

    def is_member(self, organization: str, login: str) -> bool:
        """Whether somebody belongs to an organisation (a user belongs to itself)."""

    def remote(self, repository: str, write: bool = False) -> Remote:
        """Where git clones from as Pilothouse, and with `write` pushes to: give that to nothing that runs the code of
        others.
        """

    def pull_ref(self, number: int) -> str:
        """The ref of a pull request's head in its base repository: `refs/pull/7/head`."""


class Forge(ReadingForge, Protocol):
    """A forge, to look at and to act on."""

    def set_status(self, repository: str, sha: str, status: Status) -> None:
        """Say how a context stands on a commit; the newest counts."""

    def add_comment(self, repository: str, number: int, body: str, key: str = "") -> Comment:
        """Comment on a pull request. With a `key` there is one comment of this key, which is edited when it differs.

        The key is kept in the body as an HTML comment, which forges do not show.
        """

    def add_line_comments(self, repository: str, number: int, sha: str, said: Collection[LineComment]) -> None:
        """Comment on lines that the commit `sha`, the head, adds. What we have said of a line is not said again."""

    def edit_comment(self, repository: str, number: int, comment: str, body: str) -> Comment:
        """Change a comment of our own, by its id."""

    def delete_comment(self, repository: str, number: int, comment: str) -> None:
        """Take a comment away."""

    def react(self, repository: str, number: int, comment: str, reaction: Reaction) -> None:
        """Answer a comment with a picture."""

    def add_review(self, repository: str, number: int, state: ReviewState, body: str = "", sha: str = "") -> Review:
        """Review a commit of a pull request (default: its head)."""

    def add_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Give labels; those that the repository does not have are made."""

    def remove_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Take labels away."""

    def assign(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Assign people; answers those who cannot be."""

    def unassign(self, repository: str, number: int, logins: Collection[str]) -> None:
        """End assignments."""

    def request_review(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Ask people for a review; answers those who cannot be asked."""

    def unrequest_review(self, repository: str, number: int, logins: Collection[str]) -> None:
        """Stop asking."""

    def set_title(self, repository: str, number: int, title: str) -> None:
        """Rename a pull request."""

    def set_body(self, repository: str, number: int, body: str) -> None:
        """Change a pull request's description."""

    def set_draft(self, repository: str, number: int, draft: bool) -> None:
        """Make it a draft, or ready."""

    def set_milestone(self, repository: str, number: int, title: str) -> None:
        """Put it under an open milestone; an empty title takes it away. `MissingError` for one that is not there."""

    def close(self, repository: str, number: int) -> None:
        """Close a pull request without merging."""

    def reopen(self, repository: str, number: int) -> None:
        """Open it again. `ConflictError` when it is merged or its branch is gone."""

    def create_branch(self, repository: str, branch: str, sha: str) -> None:
        """Make a branch. `ConflictError` when it is there and points elsewhere."""

    def move_branch(self, repository: str, branch: str, sha: str, expected: str, force: bool = False) -> None:
        """Move a branch to a commit that the repository has, if it is at `expected`; else `ConflictError`.

        Without `force` the commit must be a descendant.
        """

    def delete_branch(self, repository: str, branch: str) -> None:
        """Take a branch away; none there is fine. `InvalidError` for the default branch."""

    def create_tag(self, repository: str, tag: str, sha: str, message: str = "") -> None:
        """Make a tag, annotated when there is a message. `ConflictError` when it is there and points elsewhere."""

    def publish(self, repository: str, release: Published) -> Published:
        """Make or change the release of a tag that is there."""

    def commit_files(
        self,
        repository: str,
        branch: str,
        message: str,
        files: Mapping[str, bytes | None],
        expected: str = "",
        start: str = "",
    ) -> str:
        """One commit on a branch that writes files (None deletes); its hash. The same as it is: the tip, no commit.

        A branch that is not there is made at `start` (a ref; default: the default branch, for an empty repository
        nothing). `ConflictError` when `expected` is given and the branch is elsewhere.
        """

    def create_pull_request(
        self, repository: str, head: str, base: str, title: str, body: str = "", draft: bool = False
    ) -> PullRequest:
        """Ask to merge `head` (`BRANCH`, or `OWNER:BRANCH` of a fork) into `base`; the open one if there is one."""

    def merge(
        self,
        repository: str,
        number: int,
        method: MergeMethod,
        head: str,
        base: str = "",
        title: str = "",
        message: str = "",
    ) -> str:
        """Merge a pull request whose head is the commit `head`; the hash that the base branch is at afterwards.

        `base`, when given, is the commit that the base branch must be at. `ConflictError` when either has moved,
        `MergeError` when it does not merge; already merged: its merge commit.
        """

    def merge_all(self, repository: str, base: str, expected: str, sha: str, numbers: Iterable[int]) -> None:
        """Move the base branch from `expected` to `sha`, a commit that holds these pull requests, and mark them merged.

        This is how a batch that was tested as a whole lands: all of it or nothing. `ConflictError` when the branch
        has moved.
        """
