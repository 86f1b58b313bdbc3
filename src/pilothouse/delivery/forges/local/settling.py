"""After refs moved: what that means for pull requests, and what is told of it.

It is found by comparing the refs with those that were last told of, so that a process that was killed between a push
and its telling tells it when it starts again, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, insert, select

from pilothouse.delivery.forges.events import NO_COMMIT, Event, EventAction, RefChange
from pilothouse.delivery.forges.local import merging, pulls
from pilothouse.delivery.forges.local.git import Git
from pilothouse.delivery.forges.local.repositories import Kept, Repositories
from pilothouse.delivery.forges.local.store import Store, Writing
from pilothouse.delivery.forges.local.tables import PULLS, REFS
from pilothouse.delivery.forges.model import User

_HIDDEN = ("refs/pull/", "refs/pilothouse/")
_TRIED_AT_ONCE = 50
NOBODY = User("")
WhoMoved = Callable[[str, str], User]


def nobody(ref: str, sha: str) -> User:
    """When nobody knows who moved a ref."""
    return NOBODY


@dataclass
class _Moves:
    """What moved in a repository, and the pull requests that it touches."""

    changes: list[RefChange] = field(default_factory=list)
    heads: list[tuple[Row[Any], RefChange]] = field(default_factory=list)
    bases: list[tuple[Row[Any], RefChange]] = field(default_factory=list)


class Settling:
    """Brings pull requests in line with the refs."""

    def __init__(self, name: str, store: Store, repositories: Repositories, url: Callable[[], str]) -> None:
        self._name, self._store, self._repositories, self._url = name, store, repositories, url

    def settle(self, repository: Kept, who: WhoMoved = nobody) -> None:
        """Tell of each ref that moved since the last time. To be called after whatever moves refs."""
        with self._repositories.locked(repository):
            git = self._repositories.git(repository)
            actual = refs(git)
            moves = self._moves(repository, git, actual)
            if not moves.changes:
                return
            self._fetch_heads(repository, moves)
            arrived = {moved: _arrived(git, moved) for moved in {moved for _, moved in moves.bases}}
            with self._store.writing() as write:
                self._default_branch(write, repository, actual)
                for moved in moves.changes:
                    self._keep(write, repository, moved)
                    sender = who(moved.ref, moved.after)
                    write.tell(
                        Event("", self._name, repository.full_name, "push", sender=sender.login,
                              sender_is_bot=sender.is_bot, ref=moved)
                    )  # fmt: skip
                for found, moved in moves.heads:
                    self._head_moved(write, found, moved, who(moved.ref, moved.after))
                for found, moved in moves.bases:
                    self._base_moved(write, found, moved, arrived[moved], who(moved.ref, moved.after))
        # Those into a base that moved are tried when somebody looks at them: all of them with each merge would take
        # a busy repository seconds.
        touched = {(found.repository, found.number) for found, _ in moves.heads}
        for base, number in sorted(touched, reverse=True)[:_TRIED_AT_ONCE]:
            if kept := self._repositories.by_number(base):
                self.try_merge(kept, number)

    def try_merge(self, repository: Kept, number: int) -> None:
        """Try the merge of an open pull request, if not tried yet, and keep what came of it at `refs/pull/N/merge`."""
        with self._store.reading() as connection:
            found = pulls.row(connection, repository, number)
            base = pulls.tip(connection, repository.id, f"refs/heads/{found.base_ref}")
        if found.state != "open" or not base or (found.tried_head, found.tried_base) == (found.head_sha, base):
            return
        git = self._repositories.git(repository)
        tree, conflicts = merging.merged_tree(git, base, found.head_sha)
        ref, made = f"refs/pull/{number}/merge", ""
        if conflicts:
            git.run("update-ref", "-d", ref)
        else:
            message = f"Merge {found.head_sha} into {base}"
            author = User("pilothouse", "Pilothouse", "pilothouse@forge.invalid")
            made = merging.commit_tree(git, tree, [base, found.head_sha], message, author, author)
            git.set_ref(ref, made)
        here = (PULLS.c.repository == repository.id) & (PULLS.c.number == number)
        with self._store.writing() as write:
            # `updated` stays: nobody did anything.
            values = {"tried_head": found.head_sha, "tried_base": base, "tried_merge": made}
            write(PULLS.update().where(here, PULLS.c.head_sha == found.head_sha).values(**values))

    def _moves(self, repository: Kept, git: Git, actual: Mapping[str, str]) -> _Moves:
        moves = _Moves()
        with self._store.reading() as connection:
            asked = select(REFS.c.ref, REFS.c.sha).where(REFS.c.repository == repository.id)
            known = {row.ref: row.sha for row in connection.execute(asked)}
            for ref in sorted(known.keys() | actual.keys()):
                before, after = known.get(ref, NO_COMMIT), actual.get(ref, NO_COMMIT)
                if before == after:
                    continue
                both = NO_COMMIT not in (before, after)
                moved = RefChange(ref, before, after, both and not git.is_ancestor(before, after))
                moves.changes.append(moved)
                if moved.branch:
                    opened = select(PULLS).where(PULLS.c.state == "open")
                    head = (PULLS.c.head_repository == repository.id) & (PULLS.c.head_ref == moved.branch)
                    base = (PULLS.c.repository == repository.id) & (PULLS.c.base_ref == moved.branch)
                    moves.heads += [(row, moved) for row in connection.execute(opened.where(head))]
                    moves.bases += [(row, moved) for row in connection.execute(opened.where(base))]
        return moves

    def _fetch_heads(self, repository: Kept, moves: _Moves) -> None:
        """Bring new heads into the base repositories, before anybody is told of them."""
        for found, moved in moves.heads:
            base = self._repositories.by_number(found.repository)
            if base and not moved.deleted:
                fetch_head(self._repositories, repository, base, found.number, moved.after)

    def _default_branch(self, write: Writing, repository: Kept, actual: Mapping[str, str]) -> None:
        """The first branch that is pushed is the default one when the promised one did not come."""
        branches = [ref.removeprefix("refs/heads/") for ref in actual if ref.startswith("refs/heads/")]
        if branches and repository.default_branch not in branches:
            chosen = next((name for name in ("main", "master") if name in branches), min(branches))
            self._repositories.set_default_branch(write, repository, chosen)

    def _keep(self, write: Writing, repository: Kept, moved: RefChange) -> None:
        write(delete(REFS).where(REFS.c.repository == repository.id, REFS.c.ref == moved.ref))
        if not moved.deleted:
            write(insert(REFS).values(repository=repository.id, ref=moved.ref, sha=moved.after))

    def _head_moved(self, write: Writing, found: Row[Any], moved: RefChange, sender: User) -> None:
        if moved.deleted:
            self._tell(write, found, "closed", sender, state="closed")
        elif moved.after != found.head_sha:
            self._tell(write, found, "synchronize", sender, before=found.head_sha, head_sha=moved.after)

    def _base_moved(
        self, write: Writing, found: Row[Any], moved: RefChange, arrived: Collection[str], sender: User
    ) -> None:
        if moved.deleted:
            self._tell(write, found, "closed", sender, state="closed")
            return
        # A merge that was about to be when the process died, or commits that somebody pushed himself.
        intended = found.merge_sha in arrived
        if intended or found.head_sha in arrived:
            merge = found.merge_sha if intended else moved.after
            by = found.merged_by if intended else sender.login
            onto = found.merged_onto if intended else moved.before
            self._tell(write, found, "merged", sender, state="merged", merge_sha=merge, merged_by=by, merged_onto=onto)

    def _tell(
        self, write: Writing, found: Row[Any], action: EventAction, sender: User, before: str = "", **values: Any
    ) -> None:
        pulls.change(write, found.repository, found.number, **values)
        repository = self._repositories.by_number(found.repository)
        assert repository is not None
        pull = pulls.shown(write.connection, pulls.row(write.connection, repository, found.number), self._url())
        write.tell(
            Event(
                "", self._name, repository.full_name, "pull_request", action, found.number,
                sender.login or found.author, sender.is_bot, pull=pull, before=before,
            )
        )  # fmt: skip


def refs(git: Git) -> dict[str, str]:
    """The branches and tags (the tag objects) of a repository, and whatever else people push."""
    lines = git.text("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    found = (line.split(" ", 1) for line in lines)
    return {ref: sha for sha, ref in found if not ref.startswith(_HIDDEN)}


def _arrived(git: Git, moved: RefChange) -> Collection[str]:
    """The commits that a branch has now and had not before."""
    if moved.deleted:
        return ()
    new = moved.after if moved.created else f"{moved.before}..{moved.after}"
    return frozenset(git.text("rev-list", new).split())


def fetch_objects(repositories: Repositories, head: Kept, base: Kept, what: str) -> None:
    """Have a commit of one repository in another; `what` is its hash, and a colon and a ref if it is to have a name."""
    arguments = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
    repositories.git(base).run(*arguments, str(repositories.git(head).directory), what, seconds=600)


def fetch_head(repositories: Repositories, head: Kept, base: Kept, number: int, sha: str) -> None:
    """Have a commit of the head's repository in the base's, at `refs/pull/N/head`."""
    git, ref = repositories.git(base), f"refs/pull/{number}/head"
    if head.id == base.id:
        git.set_ref(ref, sha)
        return
    fetch_objects(repositories, head, base, f"+{sha}:{ref}")
