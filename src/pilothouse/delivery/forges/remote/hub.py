"""The REST API that GitHub and Forgejo have in common: `/repos/OWNER/NAME/...`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from types import ModuleType
from typing import Any

from pilothouse.delivery.forges.errors import ConflictError, ForgeError, InvalidError, MissingError
from pilothouse.delivery.forges.events import NO_COMMIT
from pilothouse.delivery.forges.model import (
    ChangedFile,
    Comment,
    Commit,
    LineComment,
    Permission,
    Published,
    PullRequest,
    PullState,
    Reaction,
    Repository,
    Review,
    ReviewState,
    Status,
    TreeEntry,
)
from pilothouse.delivery.forges.remote.calling import Caller, path_of, segment
from pilothouse.delivery.forges.remote.forge import (
    MOST_FILE_BYTES,
    RemoteForge,
    checked_hash,
    checked_ref,
    checked_repository,
    each,
)
from pilothouse.delivery.forges.remote.reading import Node, many, one

_KINDS = {"dir": "folder", "tree": "folder", "file": "file", "blob": "file", "symlink": "symlink",
          "submodule": "submodule", "commit": "submodule"}  # fmt: skip
_LONGEST_DESCRIPTION = 140


# A review has to say something by itself.
_ON_LINES = "On lines of this change:"


class HubForge(RemoteForge):
    """Reading and acting as both can; what differs is in `github` and `forgejo`."""

    shapes: ModuleType
    review_events: Mapping[str, str]
    branch_sha = "sha"

    def caller(self, repository: str) -> Caller:
        """Who asks for a repository."""
        raise NotImplementedError

    def commit(self, repository: str, ref: str) -> Commit:
        """The commit that a branch, a tag or a hash stands for."""
        raise NotImplementedError

    def _path(self, repository: str, rest: str = "") -> str:
        owner, _, name = checked_repository(repository).rpartition("/")
        return f"/repos/{segment(owner)}/{segment(name)}{rest}"

    def _get(self, repository: str, rest: str = "", /, **params: Any) -> Any:
        return self.caller(repository).get(self._path(repository, rest), **params)

    def _all(self, repository: str, rest: str, /, **params: Any) -> Iterator[Node]:
        return many(list(self.caller(repository).pages(self._path(repository, rest), **params)))

    def _send(self, method: str, repository: str, rest: str, body: Any = None, /, **params: Any) -> Any:
        return self.caller(repository).send(method, self._path(repository, rest), body, **params)

    # -- looking

    def repository(self, repository: str) -> Repository:
        """One, by its full name."""
        found: Repository = self.shapes.repository(one(self._get(repository)))
        return found

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """One pull request."""
        return self._pull(repository, one(self._get(repository, f"/pulls/{number:d}")), {})

    def pull_requests(
        self, repository: str, state: PullState | None = "open", most: int | None = None
    ) -> tuple[PullRequest, ...]:
        """Those in a state, newest first."""
        asked = {"open": "open", None: "all"}.get(state, "closed")
        tips: dict[str, str] = {}
        # Page by page: of those that are closed there may be thousands.
        pages = self.caller(repository).pages(self._path(repository, "/pulls"), state=asked)
        found = (self._pull(repository, node, tips) for node in map(one, pages))
        return tuple(islice((pull for pull in found if state in (None, pull.state)), most))

    def _pull(self, repository: str, node: Node, tips: dict[str, str]) -> PullRequest:
        base = node.node("base").text("ref")
        if base not in tips:
            # What a pull request says of its base is what it was when it was last pushed to.
            tips[base] = self.tip(repository, base)
        found: PullRequest = self.shapes.pull_request(node, tips[base])
        return found

    def files(self, repository: str, number: int) -> tuple[ChangedFile, ...]:
        """What a pull request changes."""
        nodes = self._all(repository, f"/pulls/{number:d}/files")
        return tuple(sorted(map(self.shapes.changed_file, nodes), key=lambda file: file.path))

    def diff(self, repository: str, number: int) -> str:
        """The same as one unified diff."""
        raise NotImplementedError

    def _text(self, repository: str, rest: str, accept: str = "") -> str:
        found = self.caller(repository).ask("GET", self._path(repository, rest), accept=accept)
        return found.body.decode("utf-8", "replace")

    def changed_files(self, repository: str, before: str, after: str) -> tuple[ChangedFile, ...]:
        """What lies between two commits: their trees are compared, so that nothing is cut off and nothing assumed."""
        old = {} if before in ("", NO_COMMIT) else self._blobs(repository, before)
        new = self._blobs(repository, after)
        changed = [ChangedFile(path, change="added" if path not in old else "modified")
                   for path, blob in new.items() if old.get(path) != blob]  # fmt: skip
        changed += [ChangedFile(path, change="removed") for path in old.keys() - new.keys()]
        return tuple(sorted(changed, key=lambda file: file.path))

    def _blobs(self, repository: str, ref: str) -> dict[str, str]:
        tree = self._tree(repository, self.commit(repository, ref).sha)
        return {node.text("path"): node.text("sha") for node in tree if node.text("type") != "tree"}

    def _tree(self, repository: str, sha: str) -> list[Node]:
        """All of a commit's tree. Raises `InvalidError` for one that the forge does not tell whole."""
        found: list[Node] = []
        page = 1
        while True:
            answer = one(self._get(repository, f"/git/trees/{checked_hash(sha)}", recursive="1", page=page))
            nodes = list(answer.nodes("tree"))
            found += nodes
            # Forgejo tells pages of it and how many entries there are; GitHub tells it at once or cuts it off.
            if not nodes or len(found) >= answer.number("total_count", 0):
                if answer.flag("truncated", False) and not answer.number("total_count", 0):
                    raise InvalidError(f"{repository}: the tree has more files than the forge tells")
                return found
            page += 1

    def commits(self, repository: str, number: int) -> tuple[Commit, ...]:
        """The commits of a pull request, oldest first."""
        found: list[Commit] = [*map(self.shapes.commit, self._all(repository, f"/pulls/{number:d}/commits"))]
        newest_first = len(found) > 1 and found[1].sha in found[0].parents
        return tuple(reversed(found) if newest_first else found)

    def reviews(self, repository: str, number: int) -> tuple[Review, ...]:
        """The reviews of a pull request, oldest first."""
        found = map(self.shapes.review, self._all(repository, f"/pulls/{number:d}/reviews"))
        return tuple(sorted((review for review in found if review), key=lambda review: review.at))

    def _comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        found: list[Comment] = [*map(self.shapes.comment, self._all(repository, f"/issues/{number:d}/comments"))]
        return tuple(sorted(found, key=lambda comment: comment.at))

    def statuses(self, repository: str, sha: str) -> Mapping[str, Status]:
        """The newest status for each context of a commit."""
        nodes = self._all(repository, f"/commits/{checked_hash(sha)}/status")
        return {status.context: status for status in sorted(map(self.shapes.status, nodes), key=lambda one: one.at)}

    def read_file(self, repository: str, path: str, ref: str = "") -> bytes:
        """A file at a ref."""
        found = self._get(repository, f"/contents/{path_of(path)}", ref=ref)
        if isinstance(found, list):
            raise InvalidError(f"{path}: is a folder")
        node = one(found)
        if node.text("type", "file") not in ("file", "symlink"):
            raise MissingError(f"{path}: is no file of this repository")
        if node.number("size", 0) > MOST_FILE_BYTES:
            raise InvalidError(f"{path}: is larger than {MOST_FILE_BYTES:,} bytes")
        if node.text("encoding", "") == "base64":
            try:
                return base64.b64decode(node.text("content"), validate=False)
            except (binascii.Error, ValueError):
                raise InvalidError(f"{path}: is not told as documented") from None
        return self._raw(repository, path, ref)

    def _raw(self, repository: str, path: str, ref: str) -> bytes:
        raise NotImplementedError

    def read_folder(self, repository: str, path: str = "", ref: str = "", deep: bool = False) -> tuple[TreeEntry, ...]:
        """What a folder holds."""
        path = path.strip("/")
        if deep:
            ref = ref or self.repository(repository).default_branch
            try:
                nodes = self._tree(repository, self.commit(repository, ref).sha)
            except ConflictError:
                return ()
            below = f"{path}/" if path else ""
            found = [_entry(node) for node in nodes if node.text("path").startswith(below)]
        else:
            try:
                listed = self._get(repository, f"/contents/{path_of(path)}", ref=ref)
            except MissingError:
                self.repository(repository)
                return ()
            found = [_entry(node) for node in many(listed)] if isinstance(listed, list) else []
        return tuple(sorted(found, key=lambda entry: entry.path))

    def branches(self, repository: str) -> Mapping[str, str]:
        """The branches and their commits."""
        nodes = self._all(repository, "/branches")
        return {node.text("name"): node.node("commit").text(self.branch_sha) for node in nodes}

    def tip(self, repository: str, branch: str) -> str:
        """The commit of a branch; empty when it is not there."""
        try:
            node = one(self._get(repository, f"/branches/{path_of(checked_ref(branch))}"))
        except MissingError:
            return ""
        return node.node("commit").text(self.branch_sha)

    def tags(self, repository: str) -> Mapping[str, str]:
        """The tags and the commits that they stand for."""
        return {node.text("name"): node.node("commit").text("sha") for node in self._all(repository, "/tags")}

    def labels(self, repository: str) -> frozenset[str]:
        """The labels that can be given."""
        return frozenset(node.text("name") for node in self._all(repository, "/labels"))

    def milestones(self, repository: str) -> frozenset[str]:
        """The open milestones."""
        return frozenset(self._milestones(repository))

    def _milestones(self, repository: str) -> dict[str, Node]:
        return {node.text("title"): node for node in self._all(repository, "/milestones", state="open")}

    def permission(self, repository: str, login: str) -> Permission:
        """What somebody may do in a repository."""
        try:
            node = one(self._get(repository, f"/collaborators/{segment(login.lstrip('@'))}/permission"))
        except MissingError:
            return "none"
        found: Permission = self.shapes.permission(node)
        return found

    def is_member(self, organization: str, login: str) -> bool:
        """Whether somebody belongs to an organisation."""
        if organization.lower() == login.lower():
            return True
        path = f"/orgs/{segment(organization)}/members/{segment(login.lstrip('@'))}"
        try:
            self.caller(f"{organization}/-").ask("GET", path)
        except MissingError:
            return False
        return True

    def pull_ref(self, number: int) -> str:
        """The ref of a pull request's head in its base repository."""
        return f"refs/pull/{number}/head"

    # -- acting

    def set_status(self, repository: str, sha: str, status: Status) -> None:
        """Say how a context stands on a commit."""
        body = {"state": status.state, "context": status.context, "description": shortened(status.description),
                "target_url": status.url}  # fmt: skip
        self._send("POST", repository, f"/statuses/{checked_hash(sha)}", body)

    def _post_comment(self, repository: str, number: int, body: str) -> Comment:
        made: Comment = self.shapes.comment(
            one(self._send("POST", repository, f"/issues/{number:d}/comments", {"body": body}))
        )
        return made

    def _put_comment(self, repository: str, number: int, comment: str, body: str) -> Comment:
        changed = self._send("PATCH", repository, f"/issues/comments/{_id(comment)}", {"body": body})
        made: Comment = self.shapes.comment(one(changed))
        return made

    def _post_line_comments(self, repository: str, number: int, sha: str, said: Collection[LineComment]) -> None:
        """One review that holds all of them, so that people are told once."""
        body = {"event": "COMMENT", "commit_id": checked_hash(sha), "body": _ON_LINES,
                "comments": [self.line_comment(one) for one in said]}  # fmt: skip
        self._send("POST", repository, f"/pulls/{number:d}/reviews", body)

    def line_comment(self, said: LineComment) -> dict[str, object]:
        """One of a review's comments, as this forge wants it."""
        raise NotImplementedError

    def delete_comment(self, repository: str, number: int, comment: str) -> None:
        """Take a comment away; none there is fine."""
        _gone_is_fine(lambda: self._send("DELETE", repository, f"/issues/comments/{_id(comment)}"))

    def react(self, repository: str, number: int, comment: str, reaction: Reaction) -> None:
        """Answer a comment with a picture."""
        self._send("POST", repository, f"/issues/comments/{_id(comment)}/reactions", {"content": reaction})

    def add_review(self, repository: str, number: int, state: ReviewState, body: str = "", sha: str = "") -> Review:
        """Review a commit of a pull request."""
        event = self.review_events.get(state)
        if event is None:
            raise InvalidError(f"state: a review cannot be given as {state}")
        asked = {"event": event, "body": body} | ({"commit_id": checked_hash(sha)} if sha else {})
        made = self.shapes.review(one(self._send("POST", repository, f"/pulls/{number:d}/reviews", asked)))
        assert made is not None
        found: Review = made
        return found

    def request_review(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Ask people for a review; answers those who cannot be asked."""
        author = self.pull_request(repository, number).author.lower()
        own = frozenset(login for login in logins if login.lower().lstrip("@") == author)

        def ask(wanted: list[str]) -> frozenset[str]:
            plain = [login.lstrip("@") for login in wanted]
            self._send("POST", repository, f"/pulls/{number:d}/requested_reviewers", {"reviewers": plain})
            return frozenset()

        return own | each(set(logins) - own, ask, ForgeError)

    def unrequest_review(self, repository: str, number: int, logins: Collection[str]) -> None:
        """Stop asking."""
        asked = {login.lower() for login in self.pull_request(repository, number).requested_reviewers}
        plain = [login for login in sorted({one.lstrip("@") for one in logins}) if login.lower() in asked]
        if plain:
            self._send("DELETE", repository, f"/pulls/{number:d}/requested_reviewers", {"reviewers": plain})

    def set_body(self, repository: str, number: int, body: str) -> None:
        """Change a pull request's description."""
        self._send("PATCH", repository, f"/pulls/{number:d}", {"body": body})

    def close(self, repository: str, number: int) -> None:
        """Close a pull request without merging."""
        self._send("PATCH", repository, f"/pulls/{number:d}", {"state": "closed"})

    def reopen(self, repository: str, number: int) -> None:
        """Open it again."""
        pull = self.pull_request(repository, number)
        if pull.state == "merged":
            raise ConflictError(f"#{number} is merged: open another one")
        if pull.state == "closed":
            try:
                self._send("PATCH", repository, f"/pulls/{number:d}", {"state": "open"})
            except InvalidError as error:
                raise ConflictError(str(error)) from None

    def publish(self, repository: str, release: Published) -> Published:
        """Make or change the release of a tag that is there."""
        if release.tag not in self.tags(repository):
            raise MissingError(f"{repository} has no tag {release.tag[:100]!r}")
        body = {"tag_name": release.tag, "name": release.title, "body": release.body, "prerelease": release.prerelease}
        try:
            there = one(self._get(repository, f"/releases/tags/{path_of(checked_ref(release.tag))}"))
        except MissingError:
            made = self._send("POST", repository, "/releases", body)
        else:
            made = self._send("PATCH", repository, f"/releases/{there.number('id')}", body)
        found: Published = self.shapes.published(one(made))
        return found

    def _open_one(self, repository: str, head: str, base: str) -> PullRequest | None:
        """The open pull request of a branch into another, if there is one."""
        owner, _, branch = head.rpartition(":")
        owner = owner or repository.rpartition("/")[0]
        for pull in self.pull_requests(repository, "open"):
            whose = pull.head.repository.rpartition("/")[0].lower()
            if (whose, pull.head.ref, pull.base.ref) == (owner.lower(), branch, base):
                return pull
        return None


def shortened(text: str) -> str:
    """A status' description: what is too long for GitHub is cut."""
    return text if len(text) <= _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 1] + "…"


def _entry(node: Node) -> TreeEntry:
    kind = "symlink" if node.text("mode", "") == "120000" else _KINDS.get(node.text("type"), "file")
    return TreeEntry(node.text("path"), kind, node.number("size", 0) if kind == "file" else 0)  # type: ignore[arg-type]


def _id(comment: str) -> str:
    if not comment.isascii() or not comment.isdigit():
        raise MissingError(f"there is no comment {comment[:20]!r} that can be changed")
    return comment


def _gone_is_fine(call: Any) -> None:
    try:
        call()
    except MissingError:
        return
