"""What GitHub's and Forgejo's REST have in common, as documented: `/repos/OWNER/NAME/...`."""

from __future__ import annotations

import base64
from typing import Any

from pilothouse.delivery.forges import (
    Comment,
    Commit,
    InvalidError,
    LineComment,
    MissingError,
    Published,
    PullRequest,
    Review,
    added_lines,
)
from pilothouse.delivery.forges.local import LocalForge
from tests.delivery.forges.stand_ins.rest import Asked, StandIn, moment, number_of


class HubStandIn(StandIn):
    """The shapes that are the same, and the calls that are."""

    event_states: dict[str, str]
    review_states: dict[str, str]
    line_field, shown_line_field = "line", "line"
    sha_of_branch = "sha"

    # -- shapes

    def user(self, login: str) -> dict[str, Any]:
        """A user."""
        bot = login == self.forge.me.login
        return {"login": login, "id": number_of(login), "type": "Bot" if bot else "User", "full_name": login}

    def repository(self, name: str) -> dict[str, Any]:
        """A repository; nothing about it changes here."""
        if name not in self.known:
            self.known[name] = self._repository(name)
        return self.known[name]

    def _repository(self, name: str) -> dict[str, Any]:
        found = self.forge.repository(name)
        owner, _, short = name.partition("/")
        return {
            "id": number_of(name), "node_id": f"R_{name}", "name": short, "full_name": found.full_name,
            "owner": self.user(owner), "private": found.private, "archived": found.archived,
            "description": found.description or None, "default_branch": found.default_branch, "fork": bool(
            found.fork_of), "parent": {"full_name": found.fork_of} if found.fork_of else None,
            "clone_url": self.forge.remote(name).url, "html_url": f"{self.base}/{name}", "pushed_at": moment(0),
        }  # fmt: skip

    def title(self, pull: PullRequest) -> str:
        """How a title is told."""
        return pull.title

    def pull(self, pull: PullRequest) -> dict[str, Any]:
        """A pull request."""
        head = self.repository(pull.head.repository) if pull.head.repository else None
        return {
            "id": pull.number, "node_id": f"PR_{pull.repository}_{pull.number}", "number": pull.number,
            "state": "open" if pull.state == "open" else "closed", "title": self.title(pull), "body": pull.body,
            "user": self.user(pull.author), "draft": pull.draft, "merged": pull.merged,
            "merged_at": moment(pull.updated) if pull.merged else None, "merge_commit_sha": pull.merge_sha or None,
            "mergeable": pull.mergeable, "labels": [{"id": number_of(name), "name": name} for name in
                                                    sorted(pull.labels)],
            "milestone": {"id": number_of(pull.milestone), "title": pull.milestone} if pull.milestone else None,
            "assignees": [self.user(login) for login in sorted(pull.assignees)],
            "requested_reviewers": [self.user(login) for login in sorted(pull.requested_reviewers)],
            "created_at": moment(pull.created), "updated_at": moment(pull.updated),
            "html_url": f"{self.base}/{pull.repository}/pull/{pull.number}",
            "head": {"ref": pull.head.ref, "sha": pull.head.sha, "repo": head},
            # The base's commit is what it was, not what it is: nobody may rely on it.
            "base": {"ref": pull.base.ref, "sha": "0" * 40, "repo": self.repository(pull.base.repository)},
        }  # fmt: skip

    def comment(self, comment: Comment) -> dict[str, Any]:
        """A comment."""
        return {"id": int(comment.id), "user": self.user(comment.author), "body": comment.body,
                "created_at": moment(comment.at), "updated_at": moment(comment.at)}  # fmt: skip

    def on_lines(self, repo: str, number: int, review: str, body: dict[str, Any]) -> None:
        """Keep what a review says on lines."""
        files = {file.path: file for file in self.forge.files(repo, number)}
        for one in body.get("comments", ()):
            line = one[self.line_field]
            if line not in added_lines(files[one["path"]].patch):
                raise InvalidError("line must be part of the diff")
            made = self.forge.comment_on_line(repo, number, LineComment(one["path"], line, one["body"]))
            self.review_of[made.id] = review

    def line_comment(self, comment: Comment) -> dict[str, Any]:
        """A comment on a line."""
        return self.comment(comment) | {"path": comment.path, self.shown_line_field: comment.line}

    def review(self, review: Review) -> dict[str, Any]:
        """A review."""
        return {"id": int(review.id), "user": self.user(review.author), "body": review.body,
                "state": self.review_states[review.state], "commit_id": review.commit,
                "comments_count": list(self.review_of.values()).count(review.id),
                "submitted_at": moment(review.at)}  # fmt: skip

    def commit(self, commit: Commit) -> dict[str, Any]:
        """A commit."""
        inner = {"message": commit.message, "author": {"name": commit.author_name, "email": commit.author_email,
                                                       "date": moment(commit.at)}}  # fmt: skip
        return {"sha": commit.sha, "commit": inner, "author": self.user(commit.login) if commit.login else None,
                "parents": [{"sha": parent} for parent in commit.parents]}  # fmt: skip

    def release(self, release: Published) -> dict[str, Any]:
        """A release."""
        return {"id": number_of(release.tag), "tag_name": release.tag, "name": release.title, "body": release.body,
                "prerelease": release.prerelease, "draft": False, "html_url": "", "created_at": moment(0)}  # fmt: skip

    def entry(self, repo: str, path: str, ref: str) -> Any:
        """`/contents`: a file, or a list of what a folder holds."""
        found = self.forge.read_folder(repo, path, ref)
        kinds = {"folder": "dir", "file": "file", "symlink": "symlink", "submodule": "submodule"}
        if found or not path:
            return [{"name": one.path.rpartition("/")[2], "path": one.path, "type": kinds[one.kind], "size": one.size}
                    for one in found]  # fmt: skip
        content = self.forge.read_file(repo, path, ref)
        told = base64.encodebytes(content).decode()
        return {"type": "file", "path": path, "size": len(content), "encoding": "base64", "content": told}

    def tree(self, repo: str, sha: str) -> list[dict[str, Any]]:
        """All entries of a commit's tree, from git itself."""
        kept = self.forge.kept(repo)
        found = []
        for line in filter(None, self.forge.git(kept).text("ls-tree", "-r", "-t", "-l", "-z", sha).split("\0")):
            about, _, path = line.partition("\t")
            mode, kind, blob, size = about.split()
            told = {"path": path, "mode": mode, "type": kind, "sha": blob}
            found.append(told | ({"size": int(size)} if kind == "blob" else {}))
        return found

    def git(self, repo: str, *arguments: str, given: bytes = b"", environ: dict[str, str] | None = None) -> str:
        """git in the repository."""
        return self.forge.git(self.forge.kept(repo)).text(*arguments, given=given, environ=environ or {})

    def permission(self, repo: str, login: str) -> dict[str, Any]:
        """`/collaborators/LOGIN/permission`."""
        if not self.shop.house.people.is_user(login):
            raise MissingError("there is no such user")
        found = self.forge.permission(repo, login)
        coarse = {"triage": "read"}.get(found, found)
        return {"permission": coarse, "role_name": found, "user": self.user(login)}

    # -- calls

    def answer(self, asked: Asked) -> Any:
        """What both answer; else what is the forge's own."""
        forge = self.forge
        match asked.method, asked.parts:
            case "GET", ["user"]:
                return self.user(forge.me.login)
            case "GET", ["user", "repos"]:
                return [self.repository(one.full_name) for one in forge.repositories()]
            case "GET", ["orgs", owner, "members", login]:
                if not forge.is_member(owner, login):
                    raise MissingError("not a member")
                return 204, None
            case method, ["repos", owner, name, *rest]:
                return self.of_repository(asked, f"{owner}/{name}", method, rest)
        raise MissingError(f"no such call: {asked.method} {'/'.join(asked.parts)}")

    def of_repository(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """What both answer about a repository."""
        forge, body, query = self.forge, asked.body, asked.query
        match method, rest:
            case "GET", []:
                return self.repository(repo)
            case "GET", ["pulls"]:
                state = query.get("state", "open")
                found = forge.pull_requests(repo, None)
                found = tuple(one for one in found if state == "all" or (one.state == "open") == (state == "open"))
                if head := query.get("head", ""):
                    assert ":" in head
                    found = tuple(one for one in found if one.head.ref == head.partition(":")[2])
                return [self.pull(one) for one in found]
            case "POST", ["pulls"]:
                made = forge.create_pull_request(repo, body["head"], body["base"], self.told_title(body), body["body"],
                                                 self.told_draft(body))  # fmt: skip
                return 201, self.pull(made)
            case "GET", ["pulls", wanted] if number := self.diff_of(asked, wanted):
                return forge.diff(repo, number).encode()
            case "GET", ["pulls", number]:
                return self.pull(self.seen(repo, int(number)))
            case "PATCH", ["pulls", number]:
                self.change(repo, int(number), body)
                return self.pull(forge.pull_request(repo, int(number)))
            case "GET", ["pulls", number, "commits"]:
                return [self.commit(one) for one in self.ordered(forge.commits(repo, int(number)))]
            case "GET", ["pulls", number, "files"]:
                return [self.file(one) for one in forge.files(repo, int(number))]
            case "GET", ["pulls", number, "reviews"]:
                return [self.review(one) for one in forge.reviews(repo, int(number))]
            case "POST", ["pulls", number, "reviews"]:
                state = self.event_states[body["event"]]
                given = forge.add_review(repo, int(number), state, body["body"], body.get("commit_id", ""))  # type: ignore[arg-type]
                self.on_lines(repo, int(number), given.id, body)
                return self.review(given)
            case "POST", ["pulls", number, "requested_reviewers"]:
                if refused := forge.request_review(repo, int(number), body["reviewers"]):
                    forge.unrequest_review(repo, int(number), body["reviewers"])
                    raise InvalidError(f"Reviews may only be requested from collaborators: {sorted(refused)}")
                return 201, self.pull(forge.pull_request(repo, int(number)))
            case "DELETE", ["pulls", number, "requested_reviewers"]:
                forge.unrequest_review(repo, int(number), body["reviewers"])
                return 200, {}
            case "GET", ["issues", number, "comments"]:
                return [self.comment(one) for one in forge.comments(repo, int(number)) if not one.path]
            case "POST", ["issues", number, "comments"]:
                return 201, self.comment(forge.add_comment(repo, int(number), body["body"]))
            case _, ["issues", "comments", key, *more]:
                return self.of_comment(repo, method, key, more, body)
            case "POST", ["statuses", sha]:
                from pilothouse.delivery.forges import Status

                status = Status(body["state"], body["description"], body["context"], body.get("target_url") or "")
                forge.set_status(repo, sha, status)
                return 201, self.status(status)
            case "GET", ["contents", *path]:
                return self.entry(repo, "/".join(part for part in path if part), query.get("ref", ""))
            case "GET", ["git", "trees", sha]:
                return {"sha": sha, "truncated": False, "tree": self.tree(repo, sha)}
            case "GET", ["branches"]:
                return [self.branch(name, sha) for name, sha in forge.branches(repo).items()]
            case "GET", ["branches", *branch]:
                name = "/".join(branch)
                there = forge.branches(repo)
                if name not in there:
                    raise MissingError("Branch not found")
                return self.branch(name, there[name]) | self.protection(name)
            case "GET", ["tags"]:
                return [{"name": name, "commit": {"sha": sha}} for name, sha in forge.tags(repo).items()]
            case "GET", ["labels"]:
                return [{"id": number_of(name), "name": name} for name in sorted(forge.labels(repo))]
            case "GET", ["milestones"]:
                assert query["state"] == "open"
                return [{"id": number_of(name), "number": number_of(name), "title": name}
                        for name in sorted(forge.milestones(repo))]  # fmt: skip
            case "GET", ["collaborators", login, "permission"]:
                return self.permission(repo, login)
            case "GET", ["releases", "tags", tag]:
                return self.release(self.released(repo, tag))
            case "POST", ["releases"]:
                return 201, self.release(self.publish(repo, body))
            case "PATCH", ["releases", _]:
                return self.release(self.publish(repo, body))
        return self.own(asked, repo, method, rest)

    def own(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """What only this forge answers."""
        raise NotImplementedError

    # -- where they differ a little

    def ordered(self, commits: tuple[Commit, ...]) -> list[Commit]:
        """The order in which commits are told."""
        return list(commits)

    def told_title(self, body: dict[str, Any]) -> str:
        """The title of a new pull request."""
        return str(body["title"])

    def told_draft(self, body: dict[str, Any]) -> bool:
        """Whether a new one is a draft."""
        return bool(body.get("draft"))

    def branch(self, name: str, sha: str) -> dict[str, Any]:
        """A branch."""
        return {"name": name, "commit": {self.sha_of_branch: sha}}

    def protection(self, name: str) -> dict[str, Any]:
        """How a branch is protected."""
        raise NotImplementedError

    def diff_of(self, asked: Asked, wanted: str) -> int:
        """The pull request whose diff is asked for; 0 when it is not the diff."""
        raise NotImplementedError

    def file(self, file: Any) -> dict[str, Any]:
        """A file of a change."""
        raise NotImplementedError

    def status(self, status: Any) -> dict[str, Any]:
        """A status."""
        raise NotImplementedError

    def change(self, repo: str, number: int, body: dict[str, Any]) -> None:
        """`PATCH /pulls/N`."""
        if "title" in body:
            self.forge.set_title(repo, number, body["title"])
        if "body" in body:
            self.forge.set_body(repo, number, body["body"])
        match body.get("state"):
            case "closed":
                self.forge.close(repo, number)
            case "open":
                self.forge.reopen(repo, number)

    def of_comment(self, repo: str, method: str, key: str, more: list[str], body: Any) -> Any:
        """A comment by its id alone."""
        forge = self.forge
        for pull in forge.pull_requests(repo, None):
            if not any(said.id == key for said in forge.comments(repo, pull.number)):
                continue
            match method, more:
                case "PATCH", []:
                    return self.comment(forge.edit_comment(repo, pull.number, key, body["body"]))
                case "DELETE", []:
                    forge.delete_comment(repo, pull.number, key)
                    return 204, None
                case "POST", ["reactions"]:
                    forge.react(repo, pull.number, key, body["content"])
                    return 201, {"id": 1, "content": body["content"]}
        raise MissingError("there is no such comment")

    def released(self, repo: str, tag: str) -> Published:
        """A release. Raises `MissingError`."""
        for one in self.forge.published(repo):
            if one.tag == tag:
                return one
        raise MissingError("there is no such release")

    def publish(self, repo: str, body: dict[str, Any]) -> Published:
        """Make or change a release."""
        return self.forge.publish(repo, Published(body["tag_name"], body["name"], body["body"], body["prerelease"]))

    def as_user(self, login: str) -> LocalForge:
        """The forge as somebody."""
        return self.shop.by(login)
