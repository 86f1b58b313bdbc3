"""Forgejo and Gitea as a forge, by their API v1. Source: `/swagger.v1.json` of an installation."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import Any

from pilothouse.delivery.forges.errors import AccessError, ConflictError, InvalidError, MergeError, MissingError
from pilothouse.delivery.forges.forgejo import shapes
from pilothouse.delivery.forges.model import (
    Comment,
    Commit,
    LineComment,
    MergeMethod,
    Permission,
    PullRequest,
    Remote,
    Repository,
    User,
)
from pilothouse.delivery.forges.remote import pushing
from pilothouse.delivery.forges.remote.calling import Caller, path_of
from pilothouse.delivery.forges.remote.forge import Access, checked_ref, ready_to_merge
from pilothouse.delivery.forges.remote.hub import HubForge
from pilothouse.delivery.forges.remote.reading import one
from pilothouse.delivery.forges.remote.secrets import Secret

_METHODS: Mapping[MergeMethod, str] = {"merge": "merge", "squash": "squash", "rebase": "rebase"}
_DRAFT = "WIP: "
_COLOUR = "#ededed"


class ForgejoForge(HubForge):
    """Forgejo or Gitea as a token's user."""

    shapes = shapes
    branch_sha = "id"
    review_events: Mapping[str, str] = {
        "approved": "APPROVED", "changes_requested": "REQUEST_CHANGES", "commented": "COMMENT",
    }  # fmt: skip

    def __init__(self, access: Access, token: Secret, caller: Caller) -> None:
        super().__init__(access)
        self._token, self._caller = token, caller

    def caller(self, repository: str) -> Caller:
        """The same for all repositories."""
        return self._caller

    def _who(self) -> User:
        return shapes.user(one(self._caller.get("/user")))

    # -- looking

    def repositories(self) -> tuple[Repository, ...]:
        """All that Pilothouse may work on."""
        if self._access.repositories:
            return tuple(map(self.repository, sorted(self._access.repositories)))
        found = map(shapes.repository, map(one, self._caller.pages("/user/repos")))
        return tuple(sorted(found, key=lambda repository: repository.full_name))

    def required_contexts(self, repository: str, branch: str) -> frozenset[str]:
        """Those of the rule that protects the branch."""
        node = one(self._get(repository, f"/branches/{path_of(checked_ref(branch))}"))
        if not node.flag("enable_status_check", False):
            return frozenset()
        return frozenset(str(context) for context in node.items("status_check_contexts"))

    def diff(self, repository: str, number: int) -> str:
        """A pull request as one unified diff."""
        return self._text(repository, f"/pulls/{number:d}.diff")

    def commit(self, repository: str, ref: str) -> Commit:
        """The commit that a branch, a tag or a hash stands for."""
        ref = ref or self.repository(repository).default_branch
        return shapes.commit(one(self._get(repository, f"/git/commits/{path_of(ref)}", stat="false", files="false")))

    def _raw(self, repository: str, path: str, ref: str) -> bytes:
        asked = self._path(repository, f"/raw/{path_of(path)}")
        return self._caller.ask("GET", asked, params={"ref": ref}).body

    def collaborators(self, repository: str) -> Mapping[str, Permission]:
        """Those who may do more than read; who owns the repository is one of them."""
        logins = {node.text("login") for node in self._all(repository, "/collaborators")}
        logins.add(repository.rpartition("/")[0])
        found = {login: self.permission(repository, login) for login in sorted(logins)}
        return {login: permission for login, permission in found.items() if permission not in ("none", "read")}

    def remote(self, repository: str, write: bool = False) -> Remote:
        """Where git clones from and pushes to."""
        return pushing.access(one(self._get(repository)).text("clone_url"), self.me.login, self._token.read())

    def _labels(self, repository: str) -> dict[str, int]:
        found = {node.text("name"): node.number("id") for node in self._all(repository, "/labels")}
        owner = repository.rpartition("/")[0]
        try:
            for node in self._caller.pages(f"/orgs/{path_of(owner)}/labels"):
                found.setdefault(one(node).text("name"), one(node).number("id"))
        except (MissingError, AccessError):
            # The owner is a person, and has no labels.
            return found
        return found

    def labels(self, repository: str) -> frozenset[str]:
        """The labels that can be given, of the repository and of its organisation."""
        return frozenset(self._labels(repository))

    # -- acting

    def add_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Give labels; those that are not there are made."""
        if not labels:
            return
        known = self._labels(repository)
        for label in sorted(set(labels) - known.keys()):
            made = one(self._send("POST", repository, "/labels", {"name": label, "color": _COLOUR}))
            known[label] = made.number("id")
        wanted = [known[label] for label in sorted(set(labels))]
        self._send("POST", repository, f"/issues/{number:d}/labels", {"labels": wanted})

    def remove_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Take labels away."""
        given = {node.text("name"): node.number("id") for node in self._all(repository, f"/issues/{number:d}/labels")}
        for label in sorted(set(labels) & given.keys()):
            self._send("DELETE", repository, f"/issues/{number:d}/labels/{given[label]}")

    def assign(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Assign people; one who cannot be is refused, so each is asked for."""
        refused: set[str] = set()
        now = set(self.pull_request(repository, number).assignees)
        for login in sorted(set(logins)):
            plain = login.lstrip("@")
            if plain.lower() in {one_.lower() for one_ in now}:
                continue
            try:
                self._send("PATCH", repository, f"/issues/{number:d}", {"assignees": sorted(now | {plain})})
                now.add(plain)
            except (InvalidError, MissingError):
                refused.add(login)
        return frozenset(refused)

    def unassign(self, repository: str, number: int, logins: Collection[str]) -> None:
        """End assignments."""
        gone = {login.lstrip("@").lower() for login in logins}
        now = self.pull_request(repository, number).assignees
        left = sorted(login for login in now if login.lower() not in gone)
        if len(left) != len(now):
            self._send("PATCH", repository, f"/issues/{number:d}", {"assignees": left})

    def set_title(self, repository: str, number: int, title: str) -> None:
        """Rename a pull request; what makes it a draft stays."""
        draft = self.pull_request(repository, number).draft
        self._send("PATCH", repository, f"/pulls/{number:d}", {"title": f"{_DRAFT}{title}" if draft else title})

    def set_draft(self, repository: str, number: int, draft: bool) -> None:
        """Make it a draft, or ready, by its title."""
        pull = self.pull_request(repository, number)
        if pull.draft != draft:
            title = f"{_DRAFT}{pull.title}" if draft else pull.title
            self._send("PATCH", repository, f"/pulls/{number:d}", {"title": title})

    def set_milestone(self, repository: str, number: int, title: str) -> None:
        """Put it under an open milestone; an empty title takes it away."""
        milestone = self._milestones(repository).get(title)
        if title and milestone is None:
            raise MissingError(f"{repository} has no open milestone {title[:100]!r}")
        body = {"milestone": milestone.number("id") if milestone else 0}
        self._send("PATCH", repository, f"/issues/{number:d}", body)

    def _make_branch(self, repository: str, branch: str, sha: str) -> None:
        self._send("POST", repository, "/branches", {"new_branch_name": branch, "old_ref_name": sha})

    def _make_tag(self, repository: str, tag: str, sha: str, message: str) -> None:
        self._send("POST", repository, "/tags", {"tag_name": tag, "target": sha, "message": message})

    def delete_branch(self, repository: str, branch: str) -> None:
        """Take a branch away."""
        if branch == self.repository(repository).default_branch:
            raise InvalidError(f"{branch} is the default branch")
        if self.tip(repository, branch):
            self._send("DELETE", repository, f"/branches/{path_of(checked_ref(branch))}")

    def commit_files(
        self, repository: str, branch: str, message: str, files: Mapping[str, bytes | None], expected: str = "",
        start: str = "",
    ) -> str:  # fmt: skip
        """One commit on a branch."""
        there = self.tip(repository, checked_ref(branch))
        if expected and there != expected:
            raise ConflictError(f"{branch} is at {there[:12] or 'nothing'}, not at {expected[:12]}")
        begun = there or (self.commit(repository, start).sha if start else self._default_tip(repository))
        known = {node.text("path"): node.text("sha") for node in self._tree(repository, begun)} if begun else {}
        changes = [change for path, content in sorted(files.items()) if (change := _change(path, content, known))]
        if not changes:
            if not there and begun:
                self.create_branch(repository, branch, begun)
            return there or begun
        asked: dict[str, Any] = {"files": changes, "message": message}
        if there or not begun:
            asked["branch"] = branch
        else:
            if start:
                # The API begins new branches at branches only.
                self.create_branch(repository, branch, begun)
                asked["branch"] = branch
            else:
                asked |= {"branch": self.repository(repository).default_branch, "new_branch": branch}
        return one(self._send("POST", repository, "/contents", asked)).node("commit").text("sha")

    def _default_tip(self, repository: str) -> str:
        return self.tip(repository, self.repository(repository).default_branch)

    def create_pull_request(
        self, repository: str, head: str, base: str, title: str, body: str = "", draft: bool = False
    ) -> PullRequest:
        """Ask for a merge; the open one if there is one."""
        if there := self._open_one(repository, head, base):
            return there
        asked = {"head": head, "base": base, "title": f"{_DRAFT}{title}" if draft else title, "body": body}
        made = one(self._send("POST", repository, "/pulls", asked))
        return self.pull_request(repository, made.number("number"))

    def merge(
        self, repository: str, number: int, method: MergeMethod, head: str, base: str = "", title: str = "",
        message: str = "",
    ) -> str:  # fmt: skip
        """Merge a pull request whose head is a commit."""
        pull = self.pull_request(repository, number)
        if pull.state == "merged":
            return pull.merge_sha
        ready_to_merge(pull, head, base)
        asked = {"Do": _METHODS[method], "head_commit_id": head, "MergeTitleField": title, "MergeMessageField": message}
        try:
            self._send("POST", repository, f"/pulls/{number:d}/merge", {k: v for k, v in asked.items() if v})
        except MergeError:
            raise
        except ConflictError as error:
            moved = self.pull_request(repository, number).head.sha != head
            raise (ConflictError if moved else MergeError)(str(error)) from None
        merged = self.pull_request(repository, number)
        return merged.merge_sha or merged.base.sha

    def _comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        """Those on lines belong to reviews here, and each review has to be asked for its own."""
        found = [*super()._comments(repository, number)]
        for review in self._all(repository, f"/pulls/{number:d}/reviews"):
            if review.number("comments_count", 0):
                path = f"/pulls/{number:d}/reviews/{review.number('id'):d}/comments"
                found += map(shapes.line_comment, self._all(repository, path))
        return tuple(sorted(found, key=lambda comment: comment.at))

    def line_comment(self, said: LineComment) -> dict[str, object]:
        """A comment on the new side of the diff."""
        return {"path": said.path, "new_position": said.line, "body": said.body}

    def _post_comment(self, repository: str, number: int, body: str) -> Comment:
        # An issue and a pull request have the same comments here, so that a wrong number would hit an issue.
        self._get(repository, f"/pulls/{number:d}")
        return super()._post_comment(repository, number, body)


def _change(path: str, content: bytes | None, known: Mapping[str, str]) -> dict[str, Any] | None:
    """What the API is asked to do to a file; None when it is so already."""
    path_of(path)
    if content is None:
        return {"operation": "delete", "path": path, "sha": known[path]} if path in known else None
    told = {"path": path, "content": base64.b64encode(content).decode()}
    if path not in known:
        return {"operation": "create", **told}
    return None if known[path] == _blob(content) else {"operation": "update", **told, "sha": known[path]}


def _blob(content: bytes) -> str:
    """git's name of a file's contents."""
    import hashlib

    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
