"""GitLab, to look at, by its REST API v4. Source: https://docs.gitlab.com/api/rest/"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from pilothouse.delivery.forges.errors import InvalidError, MissingError
from pilothouse.delivery.forges.events import NO_COMMIT
from pilothouse.delivery.forges.gitlab import shapes
from pilothouse.delivery.forges.model import (
    BranchTip,
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
from pilothouse.delivery.forges.patches import unified
from pilothouse.delivery.forges.remote import pushing
from pilothouse.delivery.forges.remote.calling import Caller, path_of, segment
from pilothouse.delivery.forges.remote.forge import (
    MOST_FILE_BYTES,
    Access,
    RemoteForge,
    checked_hash,
    checked_ref,
    checked_repository,
)
from pilothouse.delivery.forges.remote.reading import Node, many, one
from pilothouse.delivery.forges.remote.secrets import Secret

_KINDS = {"tree": "folder", "blob": "file", "commit": "submodule"}
_STATES = {"open": "opened", "closed": "closed", "merged": "merged", None: "all"}


class GitLabReading(RemoteForge):
    """GitLab as a token's user: a person's, a project's or a group's token."""

    def __init__(self, access: Access, token: Secret, caller: Caller) -> None:
        super().__init__(access)
        self._token, self._caller = token, caller
        self._paths: dict[int, str] = {}

    def _who(self) -> User:
        return shapes.user(one(self._caller.get("/user")))

    def _path(self, repository: str, rest: str = "") -> str:
        return f"/projects/{segment(checked_repository(repository))}{rest}"

    def _get(self, repository: str, rest: str = "", /, **params: Any) -> Any:
        return self._caller.get(self._path(repository, rest), **params)

    def _all(self, repository: str, rest: str, /, **params: Any) -> Iterator[Node]:
        return many(list(self._caller.pages(self._path(repository, rest), **params)))

    def _send(self, method: str, repository: str, rest: str, body: Any = None, /, **params: Any) -> Any:
        return self._caller.send(method, self._path(repository, rest), body, **params)

    # -- repositories

    def repositories(self) -> tuple[Repository, ...]:
        """All that Pilothouse may work on."""
        if self._access.repositories:
            return tuple(map(self.repository, sorted(self._access.repositories)))
        # 30: developers may push.
        found = self._caller.pages("/projects", membership="true", min_access_level=30)
        return tuple(sorted((shapes.repository(one(node)) for node in found), key=lambda one_: one_.full_name))

    def repository(self, repository: str) -> Repository:
        """One, by its full name."""
        return shapes.repository(one(self._get(repository)))

    def read_file(self, repository: str, path: str, ref: str = "") -> bytes:
        """A file at a ref."""
        ref = ref or self.repository(repository).default_branch
        try:
            node = one(self._get(repository, f"/repository/files/{segment(_plain(path))}", ref=ref))
        except MissingError:
            if path.strip("/") and self.read_folder(repository, path, ref):
                raise InvalidError(f"{path}: is a folder") from None
            raise
        if node.number("size", 0) > MOST_FILE_BYTES:
            raise InvalidError(f"{path}: is larger than {MOST_FILE_BYTES:,} bytes")
        return base64.b64decode(node.text("content"))

    def read_folder(self, repository: str, path: str = "", ref: str = "", deep: bool = False) -> tuple[TreeEntry, ...]:
        """What a folder holds."""
        asked = {"path": _plain(path), "ref": ref, "recursive": "true" if deep else ""}
        try:
            nodes = list(self._all(repository, "/repository/tree", **asked))
        except MissingError:
            self.repository(repository)
            return ()
        return tuple(sorted(map(_entry, nodes), key=lambda entry: entry.path))

    def branches(self, repository: str) -> Mapping[str, str]:
        """The branches and their commits."""
        return {node.text("name"): node.node("commit").text("id") for node in self._all(repository, _BRANCHES)}

    def tip(self, repository: str, branch: str) -> str:
        """The commit of a branch; empty when it is not there."""
        try:
            return one(self._get(repository, f"{_BRANCHES}/{segment(checked_ref(branch))}")).node("commit").text("id")
        except MissingError:
            return ""

    def tags(self, repository: str) -> Mapping[str, str]:
        """The tags and the commits that they stand for."""
        return {node.text("name"): node.node("commit").text("id") for node in self._all(repository, "/repository/tags")}

    def commit(self, repository: str, ref: str) -> Commit:
        """The commit that a branch, a tag or a hash stands for."""
        ref = ref or self.repository(repository).default_branch
        return shapes.commit(one(self._get(repository, f"/repository/commits/{segment(checked_ref(ref))}")))

    def changed_files(self, repository: str, before: str, after: str) -> tuple[ChangedFile, ...]:
        """What lies between two commits."""
        if before in ("", NO_COMMIT):
            files = self.read_folder(repository, "", after, deep=True)
            return tuple(ChangedFile(one_.path, change="added") for one_ in files if one_.kind != "folder")
        asked = {"from": before, "to": after, "straight": "true"}
        nodes = one(self._get(repository, "/repository/compare", **asked)).nodes("diffs")
        return tuple(sorted(map(shapes.changed_file, nodes), key=lambda file: file.path))

    def labels(self, repository: str) -> frozenset[str]:
        """The labels that can be given, also those of its groups."""
        return frozenset(node.text("name") for node in self._all(repository, "/labels"))

    def required_contexts(self, repository: str, branch: str) -> frozenset[str]:
        """None: GitLab asks for a pipeline that succeeds, not for contexts by name."""
        return frozenset()

    def milestones(self, repository: str) -> frozenset[str]:
        """The open milestones, also those of its groups."""
        return frozenset(self._milestones(repository))

    def _milestones(self, repository: str) -> dict[str, int]:
        asked = {"state": "active", "include_ancestors": "true"}
        return {node.text("title"): node.number("id") for node in self._all(repository, "/milestones", **asked)}

    # -- merge requests

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """One merge request."""
        return self._pull(repository, self._merge_request(repository, number), {})

    def _merge_request(self, repository: str, number: int) -> Node:
        return one(self._get(repository, f"/merge_requests/{number:d}"))

    def pull_requests(
        self, repository: str, state: PullState | None = "open", most: int | None = None
    ) -> tuple[PullRequest, ...]:
        """Those in a state, newest first."""
        tips: dict[str, str] = {}
        asked = {"state": _STATES[state], "order_by": "created_at", "sort": "desc"}
        pages = self._caller.pages(self._path(repository, "/merge_requests"), **asked)
        return tuple(self._pull(repository, node, tips) for node in islice(map(one, pages), most))

    def _pull(self, repository: str, node: Node, tips: dict[str, str]) -> PullRequest:
        base = node.text("target_branch")
        if base not in tips:
            tips[base] = self.tip(repository, base)
        source = node.number("source_project_id", 0)
        same = source == node.number("target_project_id", 0)
        head = repository if same else self._path_of_project(source)
        return shapes.pull_request(node, BranchTip(repository, base, tips[base]), head)

    def _path_of_project(self, number: int) -> str:
        """The full name of a project that is known by its number; empty when it is gone."""
        if number and number not in self._paths:
            try:
                self._paths[number] = one(self._caller.get(f"/projects/{number:d}")).text("path_with_namespace")
            except MissingError:
                self._paths[number] = ""
        return self._paths.get(number, "")

    def files(self, repository: str, number: int) -> tuple[ChangedFile, ...]:
        """What a merge request changes."""
        nodes = self._all(repository, f"/merge_requests/{number:d}/diffs")
        return tuple(sorted(map(shapes.changed_file, nodes), key=lambda file: file.path))

    def diff(self, repository: str, number: int) -> str:
        """The same as one unified diff; GitLab leaves the lines of very large files out."""
        return unified(self.files(repository, number))

    def commits(self, repository: str, number: int) -> tuple[Commit, ...]:
        """The commits of a merge request, oldest first."""
        nodes = list(self._all(repository, f"/merge_requests/{number:d}/commits"))
        return tuple(map(shapes.commit, reversed(nodes)))

    def _comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        path = f"/merge_requests/{number:d}/notes"
        nodes = self._all(repository, path, sort="asc", order_by="created_at")
        return tuple(shapes.comment(node) for node in nodes if not node.flag("system", False))

    def reviews(self, repository: str, number: int) -> tuple[Review, ...]:
        """Approvals, and reviewers who asked for changes. GitLab keeps of each reviewer only the last."""
        path = f"/merge_requests/{number:d}"
        pull = self._merge_request(repository, number)
        head, at = pull.text("sha", ""), pull.moment("updated_at")
        found = []
        for node in one(self._get(repository, f"{path}/approvals")).nodes("approved_by"):
            login = node.node("user").text("username")
            found.append(Review(login, "approved", "", node.moment("approved_at") or at, head, f"approval-{login}"))
        for node in self._all(repository, f"{path}/reviewers"):
            login = node.node("user").text("username")
            if node.text("state") == "requested_changes":
                when = node.moment("created_at") or at
                found.append(Review(login, "changes_requested", "", when, head, f"changes-{login}"))
        return tuple(sorted(found, key=lambda review: review.at))

    def statuses(self, repository: str, sha: str) -> Mapping[str, Status]:
        """The newest status for each context of a commit."""
        nodes = self._all(repository, f"/repository/commits/{checked_hash(sha)}/statuses")
        return {status.context: status for status in sorted(map(shapes.status, nodes), key=lambda one_: one_.at)}

    # -- people

    def permission(self, repository: str, login: str) -> Permission:
        """What somebody may do, also through the groups above."""
        try:
            node = one(self._get(repository, f"/members/all/{self._user_id(login):d}"))
        except MissingError:
            return "none" if self.repository(repository).private else self._readable(login)
        return shapes.permission(node.number("access_level"))

    def _readable(self, login: str) -> Permission:
        """Who has an account may read what is public."""
        try:
            self._user_id(login)
        except MissingError:
            return "none"
        return "read"

    def _user_id(self, login: str) -> int:
        """A user's number. Raises `MissingError`."""
        for node in many(self._caller.get("/users", username=login.lstrip("@"))):
            if node.text("username").lower() == login.lstrip("@").lower():
                return node.number("id")
        raise MissingError(f"{self.name}: there is no user {login[:64]!r}")

    def collaborators(self, repository: str) -> Mapping[str, Permission]:
        """Those who may do more than read, and what."""
        nodes = self._all(repository, "/members/all")
        found = {node.text("username"): shapes.permission(node.number("access_level")) for node in nodes}
        return {login: permission for login, permission in found.items() if permission not in ("none", "read")}

    def is_member(self, organization: str, login: str) -> bool:
        """Whether somebody belongs to a group, also through the groups above."""
        if organization.lower() == login.lower():
            return True
        try:
            self._caller.get(f"/groups/{segment(organization)}/members/all/{self._user_id(login):d}")
        except MissingError:
            return False
        return True

    def remote(self, repository: str, write: bool = False) -> Remote:
        """Where git clones from and pushes to."""
        url = one(self._get(repository)).text("http_url_to_repo")
        return pushing.access(url, "oauth2", self._token.read())

    def pull_ref(self, number: int) -> str:
        """The ref of a merge request's head in its target project."""
        return f"refs/merge-requests/{number}/head"


_BRANCHES = "/repository/branches"


def _plain(path: str) -> str:
    """A path without what would lead elsewhere. Raises `InvalidError`."""
    path_of(path)
    return path.strip("/")


def _entry(node: Node) -> TreeEntry:
    kind = "symlink" if node.text("mode", "") == "120000" else _KINDS.get(node.text("type"), "file")
    return TreeEntry(node.text("path"), kind)  # type: ignore[arg-type]
