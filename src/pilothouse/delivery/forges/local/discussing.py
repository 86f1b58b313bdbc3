"""The built-in forge, to act on: words, labels, people and statuses of pull requests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pilothouse.delivery.forges.errors import AccessError, ConflictError, InvalidError, MissingError
from pilothouse.delivery.forges.events import Event, EventAction, EventKind
from pilothouse.delivery.forges.local import names, pulls
from pilothouse.delivery.forges.local.looking import LocalReading
from pilothouse.delivery.forges.local.repositories import Kept
from pilothouse.delivery.forges.local.store import Writing
from pilothouse.delivery.forges.local.tables import COMMENTS, LABELS, MILESTONES, STATUSES
from pilothouse.delivery.forges.model import (
    PERMISSIONS,
    Comment,
    LineComment,
    Permission,
    Reaction,
    Review,
    ReviewState,
    Status,
)

_MOST_BODY = 65_536
_REVIEW_STATES = ("approved", "changes_requested", "commented")
_STATUS_STATES = ("pending", "success", "failure", "error")
_REACTIONS = ("+1", "-1", "eyes", "rocket", "confused", "heart")


class LocalDiscussing(LocalReading):
    """What is said about pull requests."""

    def tell(
        self, write: Writing, kept: Kept, kind: EventKind, action: EventAction = "", number: int = 0, **more: Any
    ) -> None:
        """Say that who acts did something, with the pull request as it is now."""
        if number:
            row = pulls.row(write.connection, kept, number)
            more["pull"] = pulls.shown(write.connection, row, self._house.page())
        me = self.me
        write.tell(Event("", self.name, kept.full_name, kind, action, number, me.login, me.is_bot, **more))

    def _named(self, kept: Kept, needed: Permission) -> None:
        """Everybody who has a name may speak where he may read."""
        if not self.me.login or (self._acting and not self._acting.may_write):
            raise AccessError("this needs a token that may write: `pilothouse forge token` makes one")
        if PERMISSIONS.index(self.may(kept)) < PERMISSIONS.index(needed):
            raise AccessError(f"{self.me.login} may {self.may(kept)} {kept.full_name}; this needs {needed}")

    # -- comments and reviews

    def add_comment(self, repository: str, number: int, body: str, key: str = "") -> Comment:
        """Comment."""
        kept = self.kept(repository)
        self._named(kept, "read")
        body = _body(body)
        with self._house.store.writing() as write:
            pulls.row(write.connection, kept, number, for_update=True)
            if key:
                here = (COMMENTS.c.repository == kept.id) & (COMMENTS.c.number == number)
                mine = (COMMENTS.c.key == key) & (COMMENTS.c.author == self.me.login)
                if found := write(select(COMMENTS).where(here, mine)).first():
                    return self._edit(write, kept, found, body)
            row = self._say(write, kept, number, body, key=key[:255])
            said = pulls.comment(row)
            self.tell(write, kept, "comment", "created", number, comment=said)
        return said

    def comment_on_line(self, repository: str, number: int, said: LineComment) -> Comment:
        """Comment on a line of a file that the pull request changes; the same from the same person is one."""
        kept = self.kept(repository)
        self._named(kept, "read")
        body = _body(said.body)
        if said.path not in {one.path for one in self.files(repository, number) if one.change != "removed"}:
            raise InvalidError(f"path: #{number} does not change {said.path[:200]!r}")
        if not 0 < said.line < 2**31:
            raise InvalidError(f"line: {said.line}: lines are counted from 1")
        with self._house.store.writing() as write:
            pulls.row(write.connection, kept, number, for_update=True)
            here = (COMMENTS.c.repository == kept.id) & (COMMENTS.c.number == number) & (COMMENTS.c.state == "")
            there = (COMMENTS.c.path == said.path) & (COMMENTS.c.line == said.line) & (COMMENTS.c.body == body)
            if found := write(select(COMMENTS).where(here, there, COMMENTS.c.author == self.me.login)).first():
                return pulls.comment(found)
            made = pulls.comment(self._say(write, kept, number, body, path=said.path, line=said.line))
            self.tell(write, kept, "comment", "created", number, comment=made)
        return made

    def add_line_comments(self, repository: str, number: int, sha: str, said: Collection[LineComment]) -> None:
        """Comment on lines that the head adds, on each once."""
        head = self.pull_request(repository, number).head.sha
        if head != sha:
            raise ConflictError(f"the head is {head[:10]} by now, not {sha[:10]}")
        for one in said:
            self.comment_on_line(repository, number, one)

    def _say(self, write: Writing, kept: Kept, number: int, body: str, **more: str | int) -> Row[Any]:
        me = self.me
        values = {"key": "", "state": "", "commit": "", "reactions": "{}"} | more
        row = {"repository": kept.id, "number": number, "author": me.login, "is_bot": me.is_bot, "body": body}
        made = write(insert(COMMENTS).values(at=time.time(), **row, **values)).inserted_primary_key[0]
        pulls.change(write, kept.id, number)
        said: Row[Any] = write(select(COMMENTS).where(COMMENTS.c.id == made)).one()
        return said

    def _edit(self, write: Writing, kept: Kept, found: Row[Any], body: str) -> Comment:
        if found.body == body:
            return pulls.comment(found)
        write(update(COMMENTS).where(COMMENTS.c.id == found.id).values(body=body))
        said = pulls.comment(write(select(COMMENTS).where(COMMENTS.c.id == found.id)).one())
        self.tell(write, kept, "comment", "edited", found.number, comment=said)
        return said

    def edit_comment(self, repository: str, number: int, comment: str, body: str) -> Comment:
        """Change a comment of one's own."""
        kept = self.kept(repository)
        with self._house.store.writing() as write:
            found = self._own(write, kept, number, comment)
            return self._edit(write, kept, found, _body(body))

    def delete_comment(self, repository: str, number: int, comment: str) -> None:
        """Take a comment away."""
        kept = self.kept(repository)
        with self._house.store.writing() as write, suppress(MissingError):
            found = self._own(write, kept, number, comment)
            write(delete(COMMENTS).where(COMMENTS.c.id == found.id))
            self.tell(write, kept, "comment", "deleted", number, comment=pulls.comment(found))

    def _own(self, write: Writing, kept: Kept, number: int, comment: str) -> Row[Any]:
        """A comment that who acts may change: his own, or any for who may write."""
        found = self._comment(write, kept, number, comment)
        self._named(kept, "read" if found.author == self.me.login else "write")
        return found

    def _comment(self, write: Writing, kept: Kept, number: int, comment: str) -> Row[Any]:
        here = (COMMENTS.c.repository == kept.id) & (COMMENTS.c.number == number) & (COMMENTS.c.state == "")
        found: Row[Any] | None = None
        if comment.isascii() and comment.isdigit() and len(comment) < 19:
            found = write(select(COMMENTS).where(here, COMMENTS.c.id == int(comment))).first()
        if found is None:
            raise MissingError(f"{kept.full_name}#{number} has no comment {comment[:20]!r}")
        return found

    def react(self, repository: str, number: int, comment: str, reaction: Reaction) -> None:
        """Answer a comment with a picture."""
        kept = self.kept(repository)
        self._named(kept, "read")
        _one_of(reaction, _REACTIONS, "reaction")
        with self._house.store.writing() as write:
            found = self._comment(write, kept, number, comment)
            all_of_it = json.loads(found.reactions)
            all_of_it[reaction] = sorted({*all_of_it.get(reaction, ()), self.me.login})
            write(update(COMMENTS).where(COMMENTS.c.id == found.id).values(reactions=json.dumps(all_of_it)))

    def add_review(self, repository: str, number: int, state: ReviewState, body: str = "", sha: str = "") -> Review:
        """Review a commit of a pull request; nobody approves his own."""
        kept = self.kept(repository)
        self._named(kept, "read")
        _one_of(state, _REVIEW_STATES, "review")
        body = _body(body, empty=state == "approved")
        with self._house.store.writing() as write:
            row = pulls.row(write.connection, kept, number, for_update=True)
            if row.author.lower() == self.me.login.lower() and state != "commented":
                raise AccessError(f"#{number} is your own: somebody else has to review it")
            commit = sha or row.head_sha
            if not names.is_hash(commit):
                raise InvalidError(f"sha: {commit[:50]!r} is not a commit's hash")
            said = pulls.review(self._say(write, kept, number, body, state=state, commit=commit))
            waiting = pulls.texts(row, "reviewers")
            left = {login for login in waiting if login.lower() != self.me.login.lower()}
            pulls.change(write, kept.id, number, reviewers=pulls.written(left))
            self.tell(write, kept, "review", "submitted", number, review=said)
        return said

    # -- labels and people

    def _set(
        self, repository: str, number: int, name: str, action: EventAction,
        changed: Callable[[set[str]], set[str]], needed: Permission = "triage",
    ) -> None:  # fmt: skip
        """Change one of a pull request's sets; tell of each that came or went, and of nothing else."""
        kept = self.kept(repository)
        with self._house.store.writing() as write:
            row = pulls.row(write.connection, kept, number, for_update=True)
            before = pulls.texts(row, name)
            after = changed(set(before))
            if name == "labels":
                self._make_labels(write, kept, after - before)
            # Authors look after the people of their own pull requests.
            own = name != "labels" and row.author.lower() == self.me.login.lower()
            self._named(kept, "read" if own else needed)
            if after == before:
                return
            pulls.change(write, kept.id, number, **{name: pulls.written(after)})
            for one in sorted(before ^ after):
                what = {"label": one} if name == "labels" else {"logins": (one,)}
                self.tell(write, kept, "pull_request", action, number, **what)

    def _make_labels(self, write: Writing, kept: Kept, labels: set[str]) -> None:
        known = set(write(select(LABELS.c.name).where(LABELS.c.repository == kept.id)).scalars())
        for label in sorted(labels - known):
            named = names.line(label, "label", 100)
            # Another process may make it for another pull request at the same moment.
            with suppress(IntegrityError), write.connection.begin_nested():
                write(insert(LABELS).values(repository=kept.id, name=named))

    def add_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Give labels."""
        self._set(repository, number, "labels", "labeled", lambda now: now | set(labels))

    def remove_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Take labels away."""
        self._set(repository, number, "labels", "unlabeled", lambda now: now - set(labels))

    def assign(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Assign people."""
        known, unknown = self._people(repository, logins)
        self._set(repository, number, "assignees", "assigned", lambda now: now | known)
        return unknown

    def unassign(self, repository: str, number: int, logins: Collection[str]) -> None:
        """End assignments."""
        self._set(repository, number, "assignees", "unassigned", lambda now: _without(now, logins))

    def request_review(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Ask people for a review; nobody is asked about his own."""
        author = self.pull_request(repository, number).author
        known, unknown = self._people(repository, [login for login in logins if login.lower() != author.lower()])
        self._set(repository, number, "reviewers", "review_requested", lambda now: now | known)
        return unknown | {login for login in logins if login.lower() == author.lower()}

    def unrequest_review(self, repository: str, number: int, logins: Collection[str]) -> None:
        """Stop asking."""
        self._set(repository, number, "reviewers", "review_request_removed", lambda now: _without(now, logins))

    def _people(self, repository: str, logins: Collection[str]) -> tuple[set[str], frozenset[str]]:
        """The logins as they are written of those who may see the repository, and the others."""
        kept = self.kept(repository)
        known: set[str] = set()
        for login in logins:
            if self._house.people.permission(kept, login) != "none":
                known.add(self._house.people.find(login).login)
        there = {login.lower() for login in known}
        return known, frozenset(login for login in logins if login.lower().lstrip("@") not in there)

    # -- milestones and statuses

    def add_milestone(self, repository: str, title: str, is_open: bool = True) -> None:
        """Make a milestone, open or close it."""
        kept = self.kept(repository, "triage")
        here = (MILESTONES.c.repository == kept.id) & (MILESTONES.c.title == names.line(title, "milestone"))
        with self._house.store.writing() as write:
            write(delete(MILESTONES).where(here))
            write(insert(MILESTONES).values(repository=kept.id, title=title, open=is_open))

    def add_label(self, repository: str, label: str) -> None:
        """Make a label that can be given."""
        kept = self.kept(repository, "triage")
        with self._house.store.writing() as write:
            self._make_labels(write, kept, {label})

    def set_milestone(self, repository: str, number: int, title: str) -> None:
        """Put it under a milestone."""
        kept = self.kept(repository, "triage")
        if title and title not in self.milestones(repository):
            raise MissingError(f"{kept.full_name} has no open milestone {title[:100]!r}")
        with self._house.store.writing() as write:
            row = pulls.row(write.connection, kept, number, for_update=True)
            if row.milestone != title:
                pulls.change(write, kept.id, number, milestone=title)
                self.tell(write, kept, "pull_request", "milestoned" if title else "demilestoned", number)

    def set_status(self, repository: str, sha: str, status: Status) -> None:
        """Say how a context stands on a commit."""
        kept = self.kept(repository, "write")
        names.line(status.context, "context")
        _one_of(status.state, _STATUS_STATES, "state")
        if not names.is_hash(sha) or self.git(kept).commit_or_none(sha) is None:
            raise MissingError(f"{kept.full_name} has no commit {sha[:50]!r}")
        here = (STATUSES.c.repository == kept.id) & (STATUSES.c.sha == sha) & (STATUSES.c.context == status.context)
        at = status.at or time.time()
        values = {"state": status.state, "description": status.description[:1000], "url": status.url[:2000]}
        with self._house.store.writing() as write:
            before = write(select(STATUSES).where(here)).mappings().first()
            if before and (before["at"] > at or all(before[name] == value for name, value in values.items())):
                return
            write(delete(STATUSES).where(here))
            write(insert(STATUSES).values(repository=kept.id, sha=sha, context=status.context, at=at, **values))
            said = Status(status.state, status.description, status.context, status.url, at)
            self.tell(write, kept, "status", status=said, commit=sha)


def _without(now: set[str], logins: Collection[str]) -> set[str]:
    gone = {login.lower().lstrip("@") for login in logins}
    return {login for login in now if login.lower() not in gone}


def _body(text: str, empty: bool = False) -> str:
    if not text.strip() and not empty:
        raise InvalidError("body: say something")
    if len(text) > _MOST_BODY:
        raise InvalidError(f"body: {len(text):,} characters are more than {_MOST_BODY:,}")
    # PostgreSQL keeps no NUL in a text.
    return text.replace("\0", "\ufffd")


def _one_of(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise InvalidError(f"{what}: {value[:50]!r} is not one of {', '.join(known)}")
