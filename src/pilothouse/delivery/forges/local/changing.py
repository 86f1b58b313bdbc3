"""The built-in forge, to act on: branches, tags, commits and releases."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from pilothouse.delivery.forges.errors import AccessError, ConflictError, InvalidError, MissingError
from pilothouse.delivery.forges.events import NO_COMMIT
from pilothouse.delivery.forges.local import contents, names
from pilothouse.delivery.forges.local.discussing import LocalDiscussing
from pilothouse.delivery.forges.local.git import Git, GitError
from pilothouse.delivery.forges.local.house import BOT
from pilothouse.delivery.forges.local.repositories import Kept
from pilothouse.delivery.forges.local.tables import RELEASES
from pilothouse.delivery.forges.model import PERMISSIONS, Published, Repository

_MOST_FILES = 1_000
_MOST_BYTES = 64 << 20


class LocalChanging(LocalDiscussing):
    """What is in the repositories."""

    def create_repository(
        self, full_name: str, description: str = "", private: bool = False, default_branch: str = "main"
    ) -> Repository:
        """Make a repository below one's own name, an organisation that one owns, or a new one."""
        owner, _ = names.full_name(full_name)
        self._may_own(owner)
        house = self._house
        house.repositories.create(full_name, self.me.login, house.people.own, description, private, default_branch)
        return self.repository(full_name)

    def fork(self, repository: str, full_name: str = "") -> Repository:
        """A repository of one's own with all that this one has; the one that is there when there is one."""
        kept = self.kept(repository)
        wanted = full_name or f"{self.me.login}/{kept.full_name.partition('/')[2]}"
        owner, _ = names.full_name(wanted)
        self._may_own(owner)
        house = self._house
        try:
            made = house.repositories.create(
                wanted, self.me.login, house.people.own, kept.description, kept.private, kept.default_branch, kept
            )
        except ConflictError:
            if house.repositories.find(wanted).fork_of != kept.id:
                raise
            return self.repository(wanted)
        house.settling.settle(made, lambda ref, sha: self.me)
        return self.repository(wanted)

    def _may_own(self, owner: str) -> None:
        acting, people = self._acting, self._house.people
        if acting is None or not acting.may_write:
            raise AccessError("this needs a token that may write: `pilothouse forge token` makes one")
        mine = owner.lower() == acting.user.login.lower()
        free = not people.is_user(owner) and not people.is_organization(owner)
        if not (acting.is_admin or mine or free or self._owns(owner)):
            raise AccessError(f"{acting.user.login} may not make repositories of {owner}")

    def _owns(self, organization: str) -> bool:
        return self._house.people.owns(organization, self.me.login)

    # -- refs

    def _moved(self, kept: Kept) -> None:
        self._house.settling.settle(kept, lambda ref, sha: self.me)

    def _pushable(self, kept: Kept, branch: str) -> None:
        """Refuse what a protection keeps who acts from."""
        protection = self._house.repositories.protection(kept, branch)
        if not protection or self.me.login == BOT:
            return
        if protection.push == "none" or PERMISSIONS.index(self.may(kept)) < PERMISSIONS.index(protection.push):
            raise AccessError(f"{branch} of {kept.full_name} is protected: ask for it with a pull request")

    def create_branch(self, repository: str, branch: str, sha: str) -> None:
        """Make a branch."""
        kept = self.kept(repository, "write")
        self._pushable(kept, branch)
        self._create_ref(kept, f"refs/heads/{names.branch(branch)}", self.resolved(kept, sha))

    def _create_ref(self, kept: Kept, ref: str, sha: str) -> None:
        git = self.git(kept)
        with self._house.repositories.locked(kept):
            there = git.commit_or_none(ref)
            if there == git.commit(sha):
                return
            if there:
                raise ConflictError(f"{ref} of {kept.full_name} is there already, at {there[:12]}")
            _update_ref(git, ref, sha, NO_COMMIT)
            self._moved(kept)

    def move_branch(self, repository: str, branch: str, sha: str, expected: str, force: bool = False) -> None:
        """Move a branch."""
        kept = self.kept(repository, "write")
        names.branch(branch)
        self._pushable(kept, branch)
        git, ref = self.git(kept), f"refs/heads/{branch}"
        with self._house.repositories.locked(kept):
            wanted, there = self.resolved(kept, sha), git.commit(ref)
            if there == wanted:
                return
            if there != expected:
                raise ConflictError(f"{branch} of {kept.full_name} is at {there[:12]}, not at {expected[:12]}")
            if not git.is_ancestor(there, wanted):
                if not force:
                    raise ConflictError(f"{wanted[:12]} does not come after {there[:12]} of {branch}")
                if self._house.repositories.protection(kept, branch):
                    raise AccessError(f"{branch} of {kept.full_name} is protected: it is never moved backwards")
            _update_ref(git, ref, wanted, there)
            self._moved(kept)

    def delete_branch(self, repository: str, branch: str) -> None:
        """Take a branch away."""
        kept = self.kept(repository, "write")
        names.branch(branch)
        if branch == kept.default_branch:
            raise InvalidError(f"{branch} is the default branch of {kept.full_name}: it stays")
        if self._house.repositories.protection(kept, branch):
            raise AccessError(f"{branch} of {kept.full_name} is protected: it stays")
        with self._house.repositories.locked(kept):
            self.git(kept).run("update-ref", "-d", f"refs/heads/{branch}")
            self._moved(kept)

    def create_tag(self, repository: str, tag: str, sha: str, message: str = "") -> None:
        """Make a tag."""
        kept = self.kept(repository, "write")
        names.branch(tag)
        git, commit = self.git(kept), self.resolved(kept, sha)
        made = commit
        if message:
            who = f"{self.me.name or self.me.login} <{self.me.email}> {int(time.time())} +0000"
            text = f"object {commit}\ntype commit\ntag {tag}\ntagger {who}\n\n{message.strip()}\n"
            made = git.text("mktag", given=text.encode())
        self._create_ref(kept, f"refs/tags/{tag}", made)

    def publish(self, repository: str, release: Published) -> Published:
        """Make or change a release."""
        kept = self.kept(repository, "write")
        if release.tag not in self.tags(repository):
            raise MissingError(f"{kept.full_name} has no tag {release.tag[:100]!r}: make it first")
        here = (RELEASES.c.repository == kept.id) & (RELEASES.c.tag == release.tag)
        values: dict[str, Any] = {
            "title": (release.title or release.tag)[:255], "body": release.body, "prerelease": release.prerelease
        }  # fmt: skip
        with self._house.store.writing() as write:
            before = write(select(RELEASES).where(here)).mappings().first()
            if not before or any(before[name] != value for name, value in values.items()):
                write(delete(RELEASES).where(here))
                write(insert(RELEASES).values(repository=kept.id, tag=release.tag, at=time.time(), **values))
                self.tell(write, kept, "release", "edited" if before else "created", label=release.tag)
        return _published(release.tag, values)

    def published(self, repository: str) -> tuple[Published, ...]:
        """The releases, newest first."""
        kept = self.kept(repository)
        asked = select(RELEASES).where(RELEASES.c.repository == kept.id).order_by(RELEASES.c.at.desc())
        with self._house.store.reading() as connection:
            return tuple(_published(row["tag"], row) for row in connection.execute(asked).mappings())

    def commit_files(
        self, repository: str, branch: str, message: str, files: Mapping[str, bytes | None], expected: str = "",
        start: str = "",
    ) -> str:  # fmt: skip
        """One commit on a branch that writes files."""
        kept = self.kept(repository, "write")
        self._pushable(kept, branch)
        if not message.strip():
            raise InvalidError("message: a commit says what it is for")
        if len(files) > _MOST_FILES or sum(len(content or b"") for content in files.values()) > _MOST_BYTES:
            raise InvalidError(f"files: at most {_MOST_FILES} files and {_MOST_BYTES >> 20} MB in one commit; push it")
        git, ref = self.git(kept), f"refs/heads/{names.branch(branch)}"
        with self._house.repositories.locked(kept):
            there = git.commit_or_none(ref) or ""
            if expected and there != expected:
                raise ConflictError(f"{branch} is at {there[:12] or 'nothing'} now, not at {expected[:12]}")
            made = contents.write_files(git, there or self._start(kept, start), files, message, self.me)
            if made != there:
                _update_ref(git, ref, made, there or NO_COMMIT)
                self._moved(kept)
        return made

    def _start(self, kept: Kept, start: str) -> str:
        """Where a new branch begins: nowhere in an empty repository."""
        if start:
            return self.resolved(kept, start)
        return self.git(kept).commit_or_none(f"refs/heads/{kept.default_branch}") or ""


def _published(tag: str, row: Mapping[Any, Any]) -> Published:
    return Published(tag, row["title"], row["body"], row["prerelease"])


def _update_ref(git: Git, ref: str, sha: str, expected: str) -> None:
    try:
        git.run("update-ref", "--no-deref", ref, sha, expected)
    except GitError as error:
        raise ConflictError(f"{ref} cannot become {sha[:12]}: {error}") from None
