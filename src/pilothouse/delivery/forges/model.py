"""What a forge holds, in the same words for GitHub, GitLab, Forgejo and the built-in forge.

People are their logins, compared without case. Times are seconds since the epoch, 0 when the forge does not say.
Repositories are named `OWNER/NAME` (on GitLab `GROUP/SUBGROUP/NAME`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Permission = Literal["none", "read", "triage", "write", "admin"]
PERMISSIONS: tuple[Permission, ...] = ("none", "read", "triage", "write", "admin")
ReviewState = Literal["approved", "changes_requested", "commented", "dismissed"]
StatusState = Literal["pending", "success", "failure", "error"]
PullState = Literal["open", "closed", "merged"]
MergeMethod = Literal["merge", "squash", "rebase"]
FileChange = Literal["added", "modified", "removed", "renamed"]
Reaction = Literal["+1", "-1", "eyes", "rocket", "confused", "heart"]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, or a program, that acts on a forge."""

    login: str
    name: str = ""
    email: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository; `fork_of` is the full name of the one that it was forked from."""

    full_name: str
    default_branch: str = "main"
    description: str = ""
    private: bool = False
    archived: bool = False
    fork_of: str = ""
    url: str = ""

    @property
    def owner(self) -> str:
        """Who owns it: a user, an organisation, or a path of groups."""
        return self.full_name.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its name without the owner."""
        return self.full_name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class BranchTip:
    """A branch (without `refs/heads/`) of a repository and the commit that it points to.

    `repository` is empty when it was deleted, as forks are.
    """

    repository: str
    ref: str
    sha: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request (GitLab: a merge request) as the forge shows it.

    `mergeable` is None while the forge has not tried yet. `base.sha` is the tip of the base branch now.
    `merge_sha` is the commit that merged it.
    """

    repository: str
    number: int
    title: str
    author: str
    head: BranchTip
    base: BranchTip
    body: str = ""
    state: PullState = "open"
    draft: bool = False
    labels: frozenset[str] = frozenset()
    assignees: frozenset[str] = frozenset()
    requested_reviewers: frozenset[str] = frozenset()
    milestone: str = ""
    mergeable: bool | None = None
    merge_sha: str = ""
    created: float = 0.0
    updated: float = 0.0
    url: str = ""

    @property
    def merged(self) -> bool:
        """Whether it is in its base branch."""
        return self.state == "merged"

    @property
    def from_fork(self) -> bool:
        """Whether its commits come from another repository than they go to."""
        return self.head.repository != self.base.repository


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; those of bots are never commands. `id` is the forge's, as text.

    One on a line of the change has the file's `path` and the `line` as the head has it; others have none and 0.
    """

    author: str
    body: str
    at: float = 0.0
    is_bot: bool = False
    id: str = ""
    url: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class LineComment:
    """What is to be said of a line that a change adds; `line` counts from 1 in the file as the head has it."""

    path: str
    line: int
    body: str


@dataclass(frozen=True, slots=True)
class Review:
    """A review and the commit that it was of. `id` is the forge's, as text."""

    author: str
    state: ReviewState
    body: str = ""
    at: float = 0.0
    commit: str = ""
    id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of the change with its lines. `previous` is the path before a renaming, `patch` its unified hunks."""

    path: str
    additions: int = 0
    deletions: int = 0
    change: FileChange = "modified"
    previous: str = ""
    patch: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a context (`ci/test`) on a commit; a commit has one for each context."""

    state: StatusState
    description: str = ""
    context: str = ""
    url: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit. `login` is the forge's user for the author, when it knows one; `parents` are hashes."""

    sha: str
    message: str
    author_name: str = ""
    author_email: str = ""
    login: str = ""
    at: float = 0.0
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """A release as a forge shows it: a tag with words."""

    tag: str
    title: str = ""
    body: str = ""
    prerelease: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """What a folder holds; `path` is from the repository's root."""

    path: str
    kind: Literal["file", "folder", "symlink", "submodule"] = "file"
    size: int = 0


@dataclass(frozen=True, slots=True)
class Remote:
    """Where git clones from and pushes to, and the environment that lets it in.

    The secret is in the environment (`GIT_CONFIG_*`), never in the address: addresses are logged and listed.
    """

    url: str
    environment: tuple[tuple[str, str], ...] = ()
