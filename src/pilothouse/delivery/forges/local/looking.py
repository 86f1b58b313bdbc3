"""The built-in forge, to look at: the reading half of the interface."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from sqlalchemy import select

from pilothouse.delivery.forges.errors import AccessError, MissingError
from pilothouse.delivery.forges.events import NO_COMMIT
from pilothouse.delivery.forges.local import contents, differing, names, pulls
from pilothouse.delivery.forges.local.git import Git
from pilothouse.delivery.forges.local.house import House
from pilothouse.delivery.forges.local.people import Bearer
from pilothouse.delivery.forges.local.repositories import Kept
from pilothouse.delivery.forges.local.tables import LABELS, MILESTONES, STATUSES
from pilothouse.delivery.forges.model import (
    PERMISSIONS,
    ChangedFile,
    Comment,
    Commit,
    Permission,
    PullRequest,
    PullState,
    Remote,
    Repository,
    Review,
    Status,
    TreeEntry,
    User,
)


class LocalReading:
    """What `acting` may see. None is somebody without a name, who sees what is public."""

    def __init__(self, house: House, acting: Bearer | None) -> None:
        self._house = house
        self._acting = acting

    @property
    def name(self) -> str:
        """What it is called in events."""
        return self._house.name

    @property
    def me(self) -> User:
        """Who acts."""
        return self._acting.user if self._acting else User("")

    def at_once(self) -> AbstractContextManager[None]:
        """One look at the database for many questions."""
        return self._house.store.one_look()

    # -- what the other half needs, too

    def may(self, repository: Kept) -> Permission:
        """What who acts may do."""
        found: Permission = self._house.people.permission(repository, self.me.login) if self._acting else "none"
        if found == "none" and not repository.private:
            found = "read"
        if self._acting and not self._acting.may_write:
            found = min(found, "read", key=PERMISSIONS.index)
        return found

    def kept(self, repository: str, needed: Permission = "read") -> Kept:
        """The repository, if who acts is allowed so much there. What may not be read is not there."""
        kept = self._house.repositories.find(repository)
        may = self.may(kept)
        if may == "none":
            raise MissingError(f"there is no repository {repository[:130]!r}, or you may not see it")
        if PERMISSIONS.index(may) < PERMISSIONS.index(needed):
            who = self.me.login or "somebody without a token"
            raise AccessError(f"{who} may {may} {kept.full_name}; this needs {needed}")
        return kept

    def git(self, kept: Kept) -> Git:
        """The repository's git."""
        return self._house.repositories.git(kept)

    def resolved(self, kept: Kept, ref: str) -> str:
        """The commit of a branch, a tag, a hash, a whole ref; nothing: the default branch. Raises `MissingError`."""
        git = self.git(kept)
        if not ref:
            return git.commit(f"refs/heads/{kept.default_branch}")
        if names.is_hash(ref) or names.is_ref(ref):
            return git.commit(ref)
        names.branch(ref)
        for prefix in ("refs/heads/", "refs/tags/"):
            if found := git.commit_or_none(prefix + ref):
                return found
        raise MissingError(f"{kept.full_name} has no branch, tag or commit {ref[:100]!r}")

    # -- repositories

    def repositories(self) -> tuple[Repository, ...]:
        """All that may be seen."""
        house = self._house
        return tuple(
            house.repositories.shown(kept, house.page())
            for kept in house.repositories.all()
            if self.may(kept) != "none"
        )

    def repository(self, repository: str) -> Repository:
        """One."""
        kept = self.kept(repository)
        return self._house.repositories.shown(kept, self._house.page())

    def read_file(self, repository: str, path: str, ref: str = "") -> bytes:
        """A file."""
        kept = self.kept(repository)
        return contents.read_file(self.git(kept), self.resolved(kept, ref), path)

    def read_folder(self, repository: str, path: str = "", ref: str = "", deep: bool = False) -> tuple[TreeEntry, ...]:
        """A folder."""
        kept = self.kept(repository)
        return contents.read_folder(self.git(kept), self.resolved(kept, ref), path, deep)

    def branches(self, repository: str) -> Mapping[str, str]:
        """The branches."""
        return self._refs(repository, "refs/heads/")

    def tags(self, repository: str) -> Mapping[str, str]:
        """The tags with their commits."""
        return self._refs(repository, "refs/tags/")

    def _refs(self, repository: str, prefix: str) -> dict[str, str]:
        git = self.git(self.kept(repository))
        form = "--format=%(objectname) %(*objectname) %(refname)"
        parts = (line.split(" ", 2) for line in git.text("for-each-ref", form, prefix).splitlines())
        return {ref.removeprefix(prefix): peeled or sha for sha, peeled, ref in parts}

    def commit(self, repository: str, ref: str) -> Commit:
        """One commit."""
        kept = self.kept(repository)
        return self._known(differing.commit(self.git(kept), self.resolved(kept, ref)))

    def _known(self, commit: Commit) -> Commit:
        login = self._house.login_of(commit.author_email)
        return Commit(
            commit.sha, commit.message, commit.author_name, commit.author_email, login, commit.at, commit.parents
        )

    def changed_files(self, repository: str, before: str, after: str) -> tuple[ChangedFile, ...]:
        """What lies between two commits."""
        kept = self.kept(repository)
        start = differing.EMPTY_TREE if before in (NO_COMMIT, "") else self.resolved(kept, before)
        return differing.changed_files(self.git(kept), start, self.resolved(kept, after))

    def labels(self, repository: str) -> frozenset[str]:
        """The labels."""
        return self._listed(select(LABELS.c.name).where(LABELS.c.repository == self.kept(repository).id))

    def required_contexts(self, repository: str, branch: str) -> frozenset[str]:
        """None: branches are not protected here, the merge pool decides."""
        return frozenset()

    def milestones(self, repository: str) -> frozenset[str]:
        """The open milestones."""
        here = MILESTONES.c.repository == self.kept(repository).id
        return self._listed(select(MILESTONES.c.title).where(here, MILESTONES.c.open))

    def _listed(self, asked: object) -> frozenset[str]:
        with self._house.store.reading() as connection:
            return frozenset(connection.execute(asked).scalars())  # type: ignore[call-overload]

    # -- pull requests

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """One; its merge is tried when it has not been."""
        kept = self.kept(repository)
        self._house.settling.try_merge(kept, number)
        with self._house.store.reading() as connection:
            return pulls.shown(connection, pulls.row(connection, kept, number), self._house.page())

    def pull_requests(
        self, repository: str, state: PullState | None = "open", most: int | None = None
    ) -> tuple[PullRequest, ...]:
        """Those in a state."""
        kept = self.kept(repository)
        with self._house.store.reading() as connection:
            rows = pulls.rows(connection, kept, state)[:most]
            return tuple(pulls.shown(connection, row, self._house.page()) for row in rows)

    def _ends(self, repository: str, number: int) -> tuple[Git, str, str]:
        """git, what a pull request is measured from, and its head."""
        kept = self.kept(repository)
        git = self.git(kept)
        with self._house.store.reading() as connection:
            row = pulls.row(connection, kept, number)
            base = pulls.tip(connection, kept.id, f"refs/heads/{row.base_ref}")
        # What is merged is shown against what it was merged onto.
        base = (row.merged_onto if row.state == "merged" else base) or row.tried_base
        return git, differing.fork_point(git, base, row.head_sha) if base else differing.EMPTY_TREE, row.head_sha

    def files(self, repository: str, number: int) -> tuple[ChangedFile, ...]:
        """What a pull request changes."""
        return differing.changed_files(*self._ends(repository, number))

    def diff(self, repository: str, number: int) -> str:
        """The same as one unified diff."""
        return differing.diff(*self._ends(repository, number))

    def commits(self, repository: str, number: int) -> tuple[Commit, ...]:
        """A pull request's commits."""
        git, start, head = self._ends(repository, number)
        # Everything, when the histories have nothing in common.
        return tuple(map(self._known, differing.commits(git, "" if start == differing.EMPTY_TREE else start, head)))

    def comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        """A pull request's comments."""
        kept = self.kept(repository)
        with self._house.store.reading() as connection:
            pulls.row(connection, kept, number)
            return tuple(map(pulls.comment, pulls.discussion(connection, kept, number, reviews=False)))

    def reviews(self, repository: str, number: int) -> tuple[Review, ...]:
        """A pull request's reviews."""
        kept = self.kept(repository)
        with self._house.store.reading() as connection:
            pulls.row(connection, kept, number)
            return tuple(map(pulls.review, pulls.discussion(connection, kept, number, reviews=True)))

    def statuses(self, repository: str, sha: str) -> Mapping[str, Status]:
        """A commit's statuses."""
        kept = self.kept(repository)
        asked = select(STATUSES).where(STATUSES.c.repository == kept.id, STATUSES.c.sha == sha)
        with self._house.store.reading() as connection:
            return {
                row.context: Status(row.state, row.description, row.context, row.url, row.at)
                for row in connection.execute(asked.order_by(STATUSES.c.context))
            }

    # -- people

    def permission(self, repository: str, login: str) -> Permission:
        """What somebody may do."""
        return self._house.people.permission(self.kept(repository), login)

    def collaborators(self, repository: str) -> Mapping[str, Permission]:
        """Those who may do more than read."""
        return self._house.people.collaborators(self.kept(repository))

    def is_member(self, organization: str, login: str) -> bool:
        """Whether somebody belongs to an organisation."""
        return self._house.people.is_member(organization, login)

    def remote(self, repository: str, write: bool = False) -> Remote:
        """Where git clones from."""
        return self._house.remote(self.kept(repository, "write" if write else "read"), self._acting, write)

    def clone_url(self, repository: str) -> str:
        """Where people clone from."""
        return self._house.clone_url(self.kept(repository))

    def pull_ref(self, number: int) -> str:
        """Where a pull request's head is."""
        return f"refs/pull/{number}/head"
