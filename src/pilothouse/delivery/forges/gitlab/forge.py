"""GitLab as a forge, to act on. Source: https://docs.gitlab.com/api/rest/"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import Any

from pilothouse.delivery.forges.errors import (
    ConflictError,
    InvalidError,
    MergeError,
    MissingError,
)
from pilothouse.delivery.forges.gitlab import shapes
from pilothouse.delivery.forges.gitlab.looking import GitLabReading
from pilothouse.delivery.forges.model import (
    Comment,
    LineComment,
    MergeMethod,
    Published,
    PullRequest,
    Reaction,
    Review,
    ReviewState,
    Status,
)
from pilothouse.delivery.forges.remote.calling import path_of, segment
from pilothouse.delivery.forges.remote.forge import checked_hash, checked_ref, ready_to_merge
from pilothouse.delivery.forges.remote.reading import one

_DRAFT = "Draft: "
_EMOJIS: Mapping[Reaction, str] = {
    "+1": "thumbsup", "-1": "thumbsdown", "eyes": "eyes", "rocket": "rocket", "confused": "confused", "heart": "heart",
}  # fmt: skip


class GitLabForge(GitLabReading):
    """GitLab, to look at and to act on."""

    # -- words

    def set_status(self, repository: str, sha: str, status: Status) -> None:
        """Say how a context stands; GitLab refuses to set it to what it is."""
        there = self.statuses(repository, sha).get(status.context)
        if there and (there.state, there.description, there.url) == (status.state, status.description, status.url):
            return
        body = {"state": shapes.STATUS_NAMES[status.state], "name": status.context, "description": status.description}
        if status.url:
            body["target_url"] = status.url
        try:
            self._send("POST", repository, f"/statuses/{checked_hash(sha)}", body)
        except InvalidError as error:
            if "Cannot transition status" not in str(error):
                raise

    def _post_comment(self, repository: str, number: int, body: str) -> Comment:
        made = self._send("POST", repository, f"/merge_requests/{number:d}/notes", {"body": body})
        return shapes.comment(one(made))

    def _post_line_comments(self, repository: str, number: int, sha: str, said: Collection[LineComment]) -> None:
        """A discussion for each; GitLab wants the two commits that its diff lies between."""
        refs = self._merge_request(repository, number).node("diff_refs")
        between = {name: refs.text(name) for name in ("base_sha", "start_sha", "head_sha")}
        if between["head_sha"] != sha:
            raise ConflictError(f"the head is {between['head_sha'][:10]} by now, not {sha[:10]}")
        before = {one.path: one.previous for one in self.files(repository, number)}
        for one_ in said:
            position = {"position_type": "text", **between, "new_path": one_.path, "new_line": one_.line,
                        "old_path": before.get(one_.path) or one_.path}  # fmt: skip
            asked = {"body": one_.body, "position": position}
            self._send("POST", repository, f"/merge_requests/{number:d}/discussions", asked)

    def _put_comment(self, repository: str, number: int, comment: str, body: str) -> Comment:
        path = f"/merge_requests/{number:d}/notes/{_id(comment)}"
        return shapes.comment(one(self._send("PUT", repository, path, {"body": body})))

    def delete_comment(self, repository: str, number: int, comment: str) -> None:
        """Take a comment away; none there is fine."""
        try:
            self._send("DELETE", repository, f"/merge_requests/{number:d}/notes/{_id(comment)}")
        except MissingError:
            return

    def react(self, repository: str, number: int, comment: str, reaction: Reaction) -> None:
        """Answer a comment with a picture; the same one again is none."""
        path = f"/merge_requests/{number:d}/notes/{_id(comment)}/award_emoji"
        given = {(node.text("name"), node.node("user").text("username")) for node in self._all(repository, path)}
        if (_EMOJIS[reaction], self.me.login) not in given:
            self._send("POST", repository, path, {"name": _EMOJIS[reaction]})

    def add_review(self, repository: str, number: int, state: ReviewState, body: str = "", sha: str = "") -> Review:
        """Approve, or withdraw it; asking for changes is a comment with a quick action."""
        path = f"/merge_requests/{number:d}"
        head = sha or self._merge_request(repository, number).text("sha", "")
        if state == "approved":
            self._send("POST", repository, f"{path}/approve", {"sha": head})
            if body:
                self._post_comment(repository, number, body)
        elif state in ("changes_requested", "commented"):
            quick = "\n\n/submit_review requested_changes" if state == "changes_requested" else ""
            self._post_comment(repository, number, body + quick)
        else:
            raise InvalidError(f"state: a review cannot be given as {state}")
        return Review(self.me.login, state, body, 0.0, head, f"{state}-{self.me.login}")

    # -- fields

    def _put(self, repository: str, number: int, **fields: Any) -> Any:
        return self._send("PUT", repository, f"/merge_requests/{number:d}", fields)

    def add_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Give labels; GitLab makes those that are not there."""
        if labels:
            self._put(repository, number, add_labels=",".join(sorted(set(map(_label, labels)))))

    def remove_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Take labels away."""
        if labels:
            self._put(repository, number, remove_labels=",".join(sorted(set(map(_label, labels)))))

    def assign(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Assign people; answers those who cannot be. Without a paid plan GitLab keeps only the first."""
        return self._people(repository, number, "assignee", logins)

    def unassign(self, repository: str, number: int, logins: Collection[str]) -> None:
        """End assignments."""
        self._without(repository, number, "assignee", logins)

    def request_review(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Ask people for a review; answers those who cannot be asked."""
        author = self.pull_request(repository, number).author.lower()
        own = frozenset(login for login in logins if login.lstrip("@").lower() == author)
        return own | self._people(repository, number, "reviewer", set(logins) - own)

    def unrequest_review(self, repository: str, number: int, logins: Collection[str]) -> None:
        """Stop asking."""
        self._without(repository, number, "reviewer", logins)

    def _people(self, repository: str, number: int, role: str, logins: Collection[str]) -> frozenset[str]:
        there = {node.text("username"): node.number("id")
                 for node in self._merge_request(repository, number).nodes(f"{role}s")}  # fmt: skip
        refused, wanted = set(), dict(there)
        for login in sorted(set(logins)):
            try:
                if self.permission(repository, login) == "none":
                    raise MissingError(login)
                wanted[login.lstrip("@")] = self._user_id(login)
            except MissingError:
                refused.add(login)
        ids = sorted(set(wanted.values()))
        if ids != sorted(set(there.values())):
            changed = one(self._put(repository, number, **{f"{role}_ids": ids}))
            kept = {login.lower() for login in changed.texts(f"{role}s", "username")}
            refused |= {login for login in logins if login.lstrip("@").lower() not in kept}
        return frozenset(refused)

    def _without(self, repository: str, number: int, role: str, logins: Collection[str]) -> None:
        gone = {login.lstrip("@").lower() for login in logins}
        there = list(self._merge_request(repository, number).nodes(f"{role}s"))
        left = [node.number("id") for node in there if node.text("username").lower() not in gone]
        if len(left) != len(there):
            # 0 is nobody.
            self._put(repository, number, **{f"{role}_ids": left or [0]})

    def set_title(self, repository: str, number: int, title: str) -> None:
        """Rename a merge request; what makes it a draft stays."""
        draft = self._merge_request(repository, number).flag("draft", False)
        self._put(repository, number, title=f"{_DRAFT}{title}" if draft else title)

    def set_body(self, repository: str, number: int, body: str) -> None:
        """Change a merge request's description."""
        self._put(repository, number, description=body)

    def set_draft(self, repository: str, number: int, draft: bool) -> None:
        """Make it a draft, or ready, by its title."""
        title = self._merge_request(repository, number).text("title")
        if shapes.says_draft(title) != draft:
            plain = shapes.plain_title(title)
            self._put(repository, number, title=f"{_DRAFT}{plain}" if draft else plain)

    def set_milestone(self, repository: str, number: int, title: str) -> None:
        """Put it under an open milestone; an empty title takes it away."""
        known = self._milestones(repository)
        if title and title not in known:
            raise MissingError(f"{repository} has no open milestone {title[:100]!r}")
        self._put(repository, number, milestone_id=known.get(title, 0))

    def close(self, repository: str, number: int) -> None:
        """Close a merge request without merging."""
        if self._merge_request(repository, number).text("state") == "opened":
            self._put(repository, number, state_event="close")

    def reopen(self, repository: str, number: int) -> None:
        """Open it again."""
        state = self._merge_request(repository, number).text("state")
        if state == "merged":
            raise ConflictError(f"#{number} is merged: open another one")
        if state == "closed":
            changed = one(self._put(repository, number, state_event="reopen"))
            if changed.text("state") != "opened":
                raise ConflictError(f"#{number} does not open again: is its branch gone?")

    # -- branches, tags, files

    def _make_branch(self, repository: str, branch: str, sha: str) -> None:
        self._send("POST", repository, "/repository/branches", {"branch": branch, "ref": sha})

    def _make_tag(self, repository: str, tag: str, sha: str, message: str) -> None:
        self._send("POST", repository, "/repository/tags", {"tag_name": tag, "ref": sha, "message": message})

    def delete_branch(self, repository: str, branch: str) -> None:
        """Take a branch away."""
        if branch == self.repository(repository).default_branch:
            raise InvalidError(f"{branch} is the default branch")
        if self.tip(repository, branch):
            self._send("DELETE", repository, f"/repository/branches/{segment(branch)}")

    def publish(self, repository: str, release: Published) -> Published:
        """Make or change the release of a tag that is there. GitLab knows no releases before their time."""
        if release.tag not in self.tags(repository):
            raise MissingError(f"{repository} has no tag {release.tag[:100]!r}")
        path = f"/releases/{segment(checked_ref(release.tag))}"
        body = {"tag_name": release.tag, "name": release.title or release.tag, "description": release.body}
        try:
            self._get(repository, path)
        except MissingError:
            return shapes.published(one(self._send("POST", repository, "/releases", body)))
        return shapes.published(one(self._send("PUT", repository, path, body)))

    def commit_files(
        self, repository: str, branch: str, message: str, files: Mapping[str, bytes | None], expected: str = "",
        start: str = "",
    ) -> str:  # fmt: skip
        """One commit on a branch."""
        there = self.tip(repository, checked_ref(branch))
        if expected and there != expected:
            raise ConflictError(f"{branch} is at {there[:12] or 'nothing'}, not at {expected[:12]}")
        default = self.repository(repository).default_branch
        begun = there or (self.commit(repository, start).sha if start else self.tip(repository, default))
        known = {entry.path for entry in self.read_folder(repository, "", begun, deep=True)} if begun else set()
        actions = [action for path, content in sorted(files.items())
                   if (action := self._action(repository, path, content, begun, known))]  # fmt: skip
        if not actions:
            if not there and begun:
                self.create_branch(repository, branch, begun)
            return there or begun
        asked: dict[str, Any] = {"branch": branch, "commit_message": message, "actions": actions}
        if not there and begun:
            asked["start_sha"] = begun
        return one(self._send("POST", repository, "/repository/commits", asked)).text("id")

    def _action(
        self, repository: str, path: str, content: bytes | None, ref: str, known: set[str]
    ) -> dict[str, str] | None:
        """What the API is asked to do to a file; None when it is so already."""
        path_of(path)
        if content is None:
            return {"action": "delete", "file_path": path} if path in known else None
        if path in known and self.read_file(repository, path, ref) == content:
            return None
        told = {"file_path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
        return {"action": "update" if path in known else "create"} | told

    # -- merging

    def create_pull_request(
        self, repository: str, head: str, base: str, title: str, body: str = "", draft: bool = False
    ) -> PullRequest:
        """Ask for a merge; the open one if there is one."""
        owner, _, branch = head.rpartition(":")
        source = repository if not owner else f"{owner}/{repository.rpartition('/')[2]}"
        asked = {"state": "opened", "source_branch": branch, "target_branch": base}
        for node in self._all(repository, "/merge_requests", **asked):
            pull = self._pull(repository, node, {})
            if pull.head.repository.lower() == source.lower():
                return pull
        made: dict[str, Any] = {
            "source_branch": branch, "target_branch": base, "title": f"{_DRAFT}{title}" if draft else title,
            "description": body,
        }  # fmt: skip
        if source != repository:
            made["target_project_id"] = one(self._get(repository)).number("id")
        created = one(self._send("POST", source, "/merge_requests", made))
        return self.pull_request(repository, created.number("iid"))

    def merge(
        self, repository: str, number: int, method: MergeMethod, head: str, base: str = "", title: str = "",
        message: str = "",
    ) -> str:  # fmt: skip
        """Merge. Whether it is a merge commit or a rebase is the project's setting; squashing can be asked for."""
        pull = self.pull_request(repository, number)
        if pull.state == "merged":
            return pull.merge_sha or pull.head.sha
        ready_to_merge(pull, head, base)
        if method == "rebase":
            self._needs_rebasing(repository)
        words = "\n\n".join(part for part in (title, message) if part)
        asked: dict[str, Any] = {"sha": head, "squash": method == "squash"}
        if words:
            asked["squash_commit_message" if method == "squash" else "merge_commit_message"] = words
        try:
            self._send("PUT", repository, f"/merge_requests/{number:d}/merge", asked)
        except ConflictError as error:
            # 409: the head is another; 405 and 422: it does not merge.
            if ": 409" in str(error):
                raise
            raise MergeError(str(error)) from None
        except InvalidError as error:
            raise MergeError(str(error)) from None
        return self.tip(repository, pull.base.ref)

    def _needs_rebasing(self, repository: str) -> None:
        """A merge request is rebased onto its target only where the project's method says so."""
        method = one(self._get(repository)).text("merge_method", "merge")
        if method not in ("ff", "rebase_merge"):
            raise InvalidError(f"{repository} merges by merge commits; set its merge method to fast-forward to rebase")


def _id(comment: str) -> str:
    if not comment.isascii() or not comment.isdigit():
        raise MissingError(f"there is no comment {comment[:20]!r} that can be changed")
    return comment


def _label(label: str) -> str:
    if "," in label:
        raise InvalidError(f"{label[:60]!r}: a label of GitLab has no comma")
    return label
