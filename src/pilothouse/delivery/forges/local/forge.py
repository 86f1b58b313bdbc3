"""The built-in forge, whole: pull requests from their opening to their merge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from pilothouse.delivery.forges.errors import (
    AccessError,
    ConflictError,
    InvalidError,
    MergeError,
    MissingError,
)
from pilothouse.delivery.forges.events import EventAction
from pilothouse.delivery.forges.local import merging, names, pulls
from pilothouse.delivery.forges.local.administering import LocalAdministering
from pilothouse.delivery.forges.local.git import GitError
from pilothouse.delivery.forges.local.house import BOT, House
from pilothouse.delivery.forges.local.repositories import Kept
from pilothouse.delivery.forges.local.settling import fetch_head, fetch_objects
from pilothouse.delivery.forges.local.tables import PULLS
from pilothouse.delivery.forges.model import MergeMethod, PullRequest, User

_MOST_TITLE = 255
_MOST_BODY = 65_536


class LocalForge(LocalAdministering):
    """The built-in forge as one user sees and changes it. All rights are checked here."""

    @classmethod
    def as_pilothouse(cls, house: House) -> LocalForge:
        """As Pilothouse itself."""
        return cls(house, house.bearer(BOT))

    def acting_as(self, login: str) -> LocalForge:
        """The same forge as somebody else. Raises `MissingError`."""
        return LocalForge(self._house, self._house.bearer(login))

    # -- pull requests

    def create_pull_request(
        self, repository: str, head: str, base: str, title: str, body: str = "", draft: bool = False
    ) -> PullRequest:
        """Ask for a merge."""
        kept = self.kept(repository)
        source, branch = self._head(kept, head)
        base = names.branch(base or kept.default_branch)
        title, body = _title(title), _checked_body(body)
        # Who pushed to the directory itself has told nobody.
        self._moved(source)
        sha = self.git(source).commit(f"refs/heads/{branch}")
        with self._house.store.reading() as connection:
            target = pulls.tip(connection, kept.id, f"refs/heads/{base}")
        if not target:
            raise MissingError(f"{kept.full_name} has no branch {base!r}")
        same = (
            (PULLS.c.repository == kept.id) & (PULLS.c.state == "open") & (PULLS.c.base_ref == base)
            & (PULLS.c.head_repository == source.id) & (PULLS.c.head_ref == branch)
        )  # fmt: skip
        with self._house.repositories.locked(kept):
            with self._house.store.reading() as connection:
                there = connection.execute(select(PULLS.c.number).where(same)).scalar()
            if there:
                return self.pull_request(repository, there)
            number = self._open(kept, source, branch, sha, base, title, body, draft)
        return self.pull_request(repository, number)

    def _open(
        self, kept: Kept, source: Kept, branch: str, sha: str, base: str, title: str, body: str, draft: bool
    ) -> int:
        git = self.git(kept)
        # Objects of a fork are here before anybody hears of the pull request.
        if source.id != kept.id:
            fetch_objects(self._house.repositories, source, kept, sha)
        if git.is_ancestor(sha, f"refs/heads/{base}"):
            raise InvalidError(f"{branch} has nothing that {base} has not: commit something first")
        values = {
            "title": title, "body": body, "author": self.me.login, "draft": draft, "head_repository": source.id,
            "head_ref": branch, "head_sha": sha, "base_ref": base,
        }  # fmt: skip
        with self._house.store.writing() as write:
            number = pulls.add(write, kept, values)
            fetch_head(self._house.repositories, source, kept, number, sha)
            self.tell(write, kept, "pull_request", "opened", number)
        return number

    def _head(self, kept: Kept, head: str) -> tuple[Kept, str]:
        """`BRANCH` here, or `OWNER:BRANCH` of a fork of this repository; who asks may write there."""
        owner, colon, branch = head.rpartition(":")
        names.branch(branch)
        source = kept if not colon or owner.lower() == kept.owner.lower() else self._fork_of(kept, owner)
        return self.kept(source.full_name, "write"), branch

    def _fork_of(self, kept: Kept, owner: str) -> Kept:
        family = {kept.id, kept.fork_of}
        for one in self._house.repositories.all():
            if one.owner.lower() == owner.lower() and (one.fork_of in family - {None} or one.id == kept.fork_of):
                return one
        raise MissingError(f"{owner[:64]} has no fork of {kept.full_name}: `pilothouse forge fork {kept.full_name}`")

    def _change(
        self, repository: str, number: int, action: EventAction, before: dict[str, Any] | None = None, **values: Any
    ) -> None:
        """Change a pull request of one's own, or any for who may triage; told when something changes."""
        kept = self.kept(repository)
        with self._house.store.writing() as write:
            row = pulls.row(write.connection, kept, number, for_update=True)
            self._named(kept, "read" if row.author.lower() == self.me.login.lower() else "triage")
            for name, value in (before or {}).items():
                if getattr(row, name) != value:
                    return
            if all(getattr(row, name) == value for name, value in values.items()):
                return
            pulls.change(write, kept.id, number, **values)
            self.tell(write, kept, "pull_request", action, number)

    def set_title(self, repository: str, number: int, title: str) -> None:
        """Rename it."""
        self._change(repository, number, "edited", title=_title(title))

    def set_body(self, repository: str, number: int, body: str) -> None:
        """Describe it anew."""
        self._change(repository, number, "edited", body=_checked_body(body))

    def set_draft(self, repository: str, number: int, draft: bool) -> None:
        """Make it a draft, or ready."""
        self._change(repository, number, "draft" if draft else "ready", draft=draft)

    def close(self, repository: str, number: int) -> None:
        """Close it."""
        self._change(repository, number, "closed", {"state": "open"}, state="closed")

    def reopen(self, repository: str, number: int) -> None:
        """Open it again, at what its branch is now."""
        kept = self.kept(repository)
        with self._house.repositories.locked(kept):
            with self._house.store.reading() as connection:
                row = pulls.row(connection, kept, number)
            if row.state == "open":
                return
            if row.state == "merged":
                raise ConflictError(f"#{number} is merged: open another one")
            source = self._house.repositories.by_number(row.head_repository)
            sha = self.git(source).commit_or_none(f"refs/heads/{row.head_ref}") if source else None
            if source is None or sha is None:
                raise ConflictError(f"the branch {row.head_ref} of #{number} is gone: push it again first")
            if self.git(kept).commit_or_none(f"refs/heads/{row.base_ref}") is None:
                raise ConflictError(f"the base branch {row.base_ref} of #{number} is gone")
            fetch_head(self._house.repositories, source, kept, number, sha)
            self._change(repository, number, "reopened", {"state": "closed"}, state="open", head_sha=sha)

    # -- merging

    def merge(
        self, repository: str, number: int, method: MergeMethod, head: str, base: str = "", title: str = "",
        message: str = "",
    ) -> str:  # fmt: skip
        """Merge it."""
        kept = self.kept(repository, "write")
        if method not in ("merge", "squash", "rebase"):
            raise InvalidError(f"method: {method!r} is not one of merge, squash, rebase")
        with self._house.repositories.locked(kept):
            with self._house.store.reading() as connection:
                row = pulls.row(connection, kept, number)
            if row.state == "merged":
                return str(row.merge_sha)
            if row.state != "open":
                raise MergeError(f"#{number} is closed: reopen it first")
            if row.draft:
                raise MergeError(f"#{number} is a draft: mark it ready first")
            if row.head_sha != head:
                raise ConflictError(f"#{number} is at {row.head_sha[:12]} now, not at {head[:12]}: look at it again")
            git = self.git(kept)
            there = git.commit(f"refs/heads/{row.base_ref}")
            if base and there != base:
                raise ConflictError(f"{row.base_ref} is at {there[:12]} now, not at {base[:12]}")
            made = merging.merged(
                git, method, there, head, _said(row, method, title, message), self._author(row), self.me
            )
            self._land(kept, row.base_ref, there, made, [number])
        return made

    def merge_all(self, repository: str, base: str, expected: str, sha: str, numbers: Iterable[int]) -> None:
        """Land a batch."""
        kept = self.kept(repository, "write")
        numbers = list(numbers)
        with self._house.repositories.locked(kept):
            git = self.git(kept)
            there, wanted = git.commit(f"refs/heads/{names.branch(base)}"), self.resolved(kept, sha)
            with self._house.store.reading() as connection:
                rows = [pulls.row(connection, kept, number) for number in numbers]
            if there == wanted and all(row.state == "merged" for row in rows):
                return
            if there != expected:
                raise ConflictError(f"{base} is at {there[:12]} now, not at {expected[:12]}")
            if not git.is_ancestor(there, wanted):
                raise MergeError(f"{wanted[:12]} does not come after {there[:12]}")
            for row in rows:
                if row.state != "open" or row.base_ref != base:
                    raise ConflictError(f"#{row.number} is {row.state}, into {row.base_ref}")
            self._land(kept, base, there, wanted, numbers)

    def _land(self, kept: Kept, base: str, there: str, made: str, numbers: list[int]) -> None:
        """Move the base branch. What is meant is written first: if the process dies, the next one knows."""
        values = {"merge_sha": made, "merged_by": self.me.login, "merged_onto": there}
        self._mean(kept, numbers, values)
        try:
            self.git(kept).run("update-ref", "--no-deref", f"refs/heads/{base}", made, there)
        except GitError as error:
            self._mean(kept, numbers, dict.fromkeys(values, ""))
            raise ConflictError(f"{base} of {kept.full_name} moved meanwhile: {error}") from None
        self._moved(kept)

    def _mean(self, kept: Kept, numbers: list[int], values: dict[str, str]) -> None:
        here = (PULLS.c.repository == kept.id) & PULLS.c.number.in_(numbers) & (PULLS.c.state == "open")
        with self._house.store.writing() as write:
            write(PULLS.update().where(here).values(**values))

    def _author(self, row: Any) -> User:
        people = self._house.people
        return people.find(row.author) if people.is_user(row.author) else User(row.author, row.author, "")

    # -- settings

    def protections(self, repository: str) -> dict[str, str]:
        """Which branches are protected, by pattern, and what pushing to them needs."""
        found = self._house.repositories.protections(self.kept(repository))
        return {one.pattern: one.push for one in found}

    def protect(self, repository: str, pattern: str, push: str | None = "write") -> None:
        """Protect branches: `push` says who may still push to them, `none` nobody; None ends it."""
        kept = self.kept(repository, "admin")
        self._house.repositories.protect(kept, pattern, names.permission(push) if push else None)

    def allow(self, repository: str, login: str, permission: str) -> None:
        """Say what a user may do here."""
        self._house.people.allow(self.kept(repository, "admin"), login, names.permission(permission))

    def set_member(self, organization: str, login: str, permission: str) -> None:
        """Let a user into an organisation."""
        if not (self._acting and self._acting.may_write and (self._acting.is_admin or self._owns(organization))):
            raise AccessError(f"only owners of {organization[:64]} may say who belongs to it")
        self._house.people.set_member(organization, login, names.permission(permission))


def _title(text: str) -> str:
    text = " ".join(text.split()).replace("\0", "\ufffd")
    if not text:
        raise InvalidError("title: say in a line what it changes")
    if len(text) > _MOST_TITLE:
        raise InvalidError(f"title: {len(text)} characters are more than {_MOST_TITLE}")
    return text


def _checked_body(text: str) -> str:
    if len(text) > _MOST_BODY:
        raise InvalidError(f"body: {len(text):,} characters are more than {_MOST_BODY:,}")
    return text.replace("\0", "\ufffd")


def _said(row: Any, method: MergeMethod, title: str, message: str) -> str:
    """The message of the commit that a merge makes."""
    usual = f"{row.title} (#{row.number})" if method == "squash" else f"Merge #{row.number}: {row.title}"
    return "\n\n".join(part for part in (title or usual, message or row.body) if part.strip()) + "\n"
