"""GitLab: REST API v4, as https://docs.gitlab.com/api/rest/ has it."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from pilothouse.delivery.forges import (
    ChangedFile,
    Comment,
    Commit,
    ConflictError,
    InvalidError,
    LineComment,
    MergeError,
    MissingError,
    Published,
    PullRequest,
    Status,
    added_lines,
)
from tests.delivery.forges.stand_ins.rest import Asked, StandIn, moment, number_of

_LEVELS = {"read": 10, "triage": 20, "write": 30, "admin": 50}
_STATES = {"open": "opened", "closed": "closed", "merged": "merged"}
_STATUSES = {"pending": "pending", "success": "success", "failure": "failed", "error": "canceled"}
_EMOJIS = {"thumbsup": "+1", "thumbsdown": "-1"}


class GitLabStandIn(StandIn):
    """GitLab. Its merge requests are told without what the built-in forge has no word for."""

    def __post_init__(self) -> None:
        self.statuses |= {InvalidError: 400}
        self.emojis: dict[str, list[dict[str, Any]]] = {}
        self.asked_changes: set[str] = set()
        self.merge_method = "ff"

    def let_in(self, request: httpx.Request) -> bool:
        """By a token in GitLab's own header."""
        return request.headers.get("private-token") == self.token

    # -- shapes

    def user(self, login: str) -> dict[str, Any]:
        """A user."""
        return {"id": number_of(login), "username": login, "name": login.title(), "state": "active"}

    def project(self, name: str) -> dict[str, Any]:
        """A project; nothing about it changes here."""
        if name not in self.known:
            self.known[name] = self._project(name)
        return self.known[name]

    def _project(self, name: str) -> dict[str, Any]:
        found = self.forge.repository(name)
        parent = {"path_with_namespace": found.fork_of} if found.fork_of else None
        return {
            "id": number_of(name), "path_with_namespace": found.full_name, "default_branch": found.default_branch,
            "description": found.description, "visibility": "private" if found.private else "public",
            "archived": found.archived, "http_url_to_repo": self.forge.remote(name).url, "merge_method":
            self.merge_method, "web_url": f"{self.base}/{name}", "forked_from_project": parent,
        }  # fmt: skip

    def pull(self, pull: PullRequest) -> dict[str, Any]:
        """A merge request."""
        mergeable = {True: "mergeable", False: "conflict", None: "unchecked"}[pull.mergeable]
        return {
            "id": 1000 + pull.number, "iid": pull.number, "state": _STATES[pull.state], "description": pull.body,
            "title": f"Draft: {pull.title}" if pull.draft else pull.title, "draft": pull.draft,
            "author": self.user(pull.author), "source_branch": pull.head.ref, "target_branch": pull.base.ref,
            "source_project_id": number_of(pull.head.repository) if pull.head.repository else None,
            "target_project_id": number_of(pull.repository), "sha": pull.head.sha,
            "diff_refs": {"base_sha": pull.base.sha, "start_sha": pull.base.sha, "head_sha": pull.head.sha},
            "labels": sorted(pull.labels),
            "assignees": [self.user(login) for login in sorted(pull.assignees)],
            "reviewers": [self.user(login) for login in sorted(pull.requested_reviewers)],
            "milestone": {"id": number_of(pull.milestone), "title": pull.milestone} if pull.milestone else None,
            "merge_commit_sha": pull.merge_sha or None, "squash_commit_sha": None, "has_conflicts": False,
            "detailed_merge_status": mergeable, "created_at": moment(pull.created), "updated_at": moment(pull.updated),
            "web_url": f"{self.base}/{pull.repository}/-/merge_requests/{pull.number}",
        }  # fmt: skip

    def note(self, comment: Comment, system: bool = False) -> dict[str, Any]:
        """A note."""
        return {"id": int(comment.id), "body": comment.body, "author": self.user(comment.author), "system": system,
                "created_at": moment(comment.at), "noteable_type": "MergeRequest",
                **({"type": "DiffNote", "position": {"new_path": comment.path, "new_line": comment.line}}
                   if comment.path else {})}  # fmt: skip

    def commit(self, commit: Commit) -> dict[str, Any]:
        """A commit."""
        return {"id": commit.sha, "message": commit.message, "author_name": commit.author_name,
                "author_email": commit.author_email, "authored_date": moment(commit.at),
                "parent_ids": list(commit.parents)}  # fmt: skip

    def diff(self, file: ChangedFile) -> dict[str, Any]:
        """A file of a difference; it has no counts."""
        flags = {"new_file": "added", "deleted_file": "removed", "renamed_file": "renamed"}
        told = {flag: file.change == change for flag, change in flags.items()}
        return told | {"old_path": file.previous or file.path, "new_path": file.path, "diff": file.patch}

    def status(self, status: Status) -> dict[str, Any]:
        """A commit status."""
        return {"id": number_of(status.context), "status": _STATUSES[status.state], "name": status.context,
                "description": status.description or None, "target_url": status.url or None,
                "created_at": moment(status.at), "finished_at": None}  # fmt: skip

    def release(self, release: Published) -> dict[str, Any]:
        """A release."""
        return {"tag_name": release.tag, "name": release.title, "description": release.body, "_links": {"self": ""}}

    # -- calls

    def answer(self, asked: Asked) -> Any:
        """What is asked of a project, a user or a group."""
        forge, query = self.forge, asked.query
        match asked.method, asked.parts:
            case "GET", ["user"]:
                return self.user(forge.me.login) | {"bot": True}
            case "GET", ["users"]:
                known = {user.login for user in self.shop.house.people.all()}
                return [self.user(login) for login in known if login.lower() == query["username"].lower()]
            case "GET", ["projects"]:
                return [self.project(one.full_name) for one in forge.repositories()]
            case "GET", ["groups", group, "members", "all", key]:
                login = self.login(key)
                if not forge.is_member(group, login):
                    raise MissingError("404 Not found")
                return self.user(login) | {"access_level": 30}
            case method, ["projects", repo, *rest]:
                if repo.isdigit():
                    repo = {str(number_of(one.full_name)): one.full_name for one in forge.repositories()}[repo]
                return self.of_project(asked, repo, method, rest)
        raise MissingError(f"no such call: {asked.method} {'/'.join(asked.parts)}")

    def login(self, key: object) -> str:
        """Whose number it is."""
        for user in self.shop.house.people.all():
            if number_of(user.login) == int(str(key)):
                return user.login
        raise MissingError("404 User Not Found")

    def of_project(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """A project's own."""
        forge, body, query = self.forge, asked.body, asked.query
        match method, rest:
            case "GET", []:
                return self.project(repo)
            case _, ["merge_requests", *more]:
                return self.of_pulls(asked, repo, method, more)
            case _, ["repository", *more]:
                return self.of_repository(asked, repo, method, more)
            case "GET", ["labels"]:
                return [{"id": number_of(name), "name": name} for name in sorted(forge.labels(repo))]
            case "GET", ["milestones"]:
                assert query["state"] == "active"
                return [{"id": number_of(name), "title": name} for name in sorted(forge.milestones(repo))]
            case "GET", ["members", "all"]:
                found = forge.collaborators(repo)
                return [self.user(login) | {"access_level": _LEVELS[may]} for login, may in found.items()]
            case "GET", ["members", "all", key]:
                found_ = forge.collaborators(repo).get(self.login(key))
                if found_ is None:
                    raise MissingError("404 Not found")
                return self.user(self.login(key)) | {"access_level": _LEVELS[found_]}
            case "POST", ["statuses", sha]:
                state = {name: state for state, name in _STATUSES.items()}[body["state"]]
                there = forge.statuses(repo, sha).get(body["name"])
                if there and there.state == state:
                    raise InvalidError(f"Cannot transition status via :enqueue from :{body['state']}")
                status = Status(state, body["description"], body["name"], body.get("target_url", ""))  # type: ignore[arg-type]
                forge.set_status(repo, sha, status)
                return 201, self.status(status)
            case _, ["releases", *tag]:
                return self.of_releases(repo, method, "".join(tag), body)
        raise MissingError(f"no such call: {method} {'/'.join(rest)}")

    def of_releases(self, repo: str, method: str, tag: str, body: Any) -> Any:
        """Releases."""
        there = {one.tag: one for one in self.forge.published(repo)}
        if method == "GET":
            if tag not in there:
                raise MissingError("404 Not Found")
            return self.release(there[tag])
        published = Published(body["tag_name"], body["name"], body["description"])
        return 201 if method == "POST" else 200, self.release(self.forge.publish(repo, published))

    def of_repository(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """Git's things."""
        forge, body, query = self.forge, asked.body, asked.query
        match method, rest:
            case "GET", ["files", path]:
                content = forge.read_file(repo, path, query["ref"])
                return {"file_path": path, "size": len(content), "encoding": "base64",
                        "content": base64.b64encode(content).decode()}  # fmt: skip
            case "GET", ["tree"]:
                deep = query.get("recursive") == "true"
                found = forge.read_folder(repo, query.get("path", ""), query.get("ref", ""), deep)
                if not found:
                    raise MissingError("404 invalid revision or path Not Found")
                kinds = {"folder": "tree", "submodule": "commit"}
                return [{"id": "", "name": one.path.rpartition("/")[2], "path": one.path, "mode": "100644",
                         "type": kinds.get(one.kind, "blob")} for one in found]  # fmt: skip
            case "GET", ["branches"]:
                return [{"name": name, "commit": {"id": sha}} for name, sha in forge.branches(repo).items()]
            case "GET", ["branches", name]:
                there = forge.branches(repo)
                if name not in there:
                    raise MissingError("404 Branch Not Found")
                return {"name": name, "commit": {"id": there[name]}}
            case "POST", ["branches"]:
                forge.create_branch(repo, body["branch"], body["ref"])
                return 201, {"name": body["branch"], "commit": {"id": body["ref"]}}
            case "DELETE", ["branches", name]:
                forge.delete_branch(repo, name)
                return 204, None
            case "GET", ["tags"]:
                return [{"name": name, "commit": {"id": sha}} for name, sha in forge.tags(repo).items()]
            case "POST", ["tags"]:
                forge.create_tag(repo, body["tag_name"], body["ref"], body["message"])
                return 201, {"name": body["tag_name"]}
            case "GET", ["commits", sha, "statuses"]:
                return [self.status(one) for one in forge.statuses(repo, sha).values()]
            case "GET", ["commits", ref]:
                return self.commit(forge.commit(repo, ref))
            case "POST", ["commits"]:
                return 201, self.commit(forge.commit(repo, self._written(repo, body)))
            case "GET", ["compare"]:
                assert query["straight"] == "true"
                return {"diffs": [self.diff(one) for one in forge.changed_files(repo, query["from"], query["to"])]}
        raise MissingError(f"no such call: {method} repository/{'/'.join(rest)}")

    def _written(self, repo: str, body: dict[str, Any]) -> str:
        branch, start = body["branch"], body.get("start_sha", "")
        there = self.forge.branches(repo).get(branch)
        if there and start:
            raise InvalidError(f"A branch called '{branch}' already exists.")
        known = (
            {one.path for one in self.forge.read_folder(repo, "", there or start, True)} if there or start else set()
        )
        files: dict[str, bytes | None] = {}
        for action in body["actions"]:
            if (action["action"] == "create") == (action["file_path"] in known):
                raise InvalidError("A file with this name exists already, or doesn't exist")
            deleted = action["action"] == "delete"
            files[action["file_path"]] = None if deleted else base64.b64decode(action["content"])
        return self.forge.commit_files(repo, branch, body["commit_message"], files, "", start)

    def of_pulls(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """Merge requests."""
        forge, body, query = self.forge, asked.body, asked.query
        match method, rest:
            case "GET", []:
                found = forge.pull_requests(repo, None)
                source, state = query.get("source_branch"), query.get("state", "all")
                return [self.pull(one) for one in found
                        if state in ("all", _STATES[one.state]) and source in (None, one.head.ref)]  # fmt: skip
            case "POST", []:
                title, target = body["title"], body.get("target_project_id")
                names = {number_of(one.full_name): one.full_name for one in forge.repositories()}
                into = names[target] if target else repo
                head = body["source_branch"] if into == repo else f"{repo.partition('/')[0]}:{body['source_branch']}"
                plain = title.removeprefix("Draft: ")
                made = forge.create_pull_request(into, head, body["target_branch"], plain, body["description"],
                                                 plain != title)  # fmt: skip
                return 201, self.pull(made)
            case _, [number, *more]:
                return self.of_pull(repo, int(number), method, more, body)
        raise MissingError(f"no such call: {method} merge_requests/{'/'.join(rest)}")

    def of_pull(self, repo: str, number: int, method: str, rest: list[str], body: Any) -> Any:
        """One merge request."""
        forge = self.forge
        match method, rest:
            case "GET", []:
                return self.pull(self.seen(repo, number))
            case "PUT", []:
                self._change(repo, number, body)
                return self.pull(forge.pull_request(repo, number))
            case "PUT", ["merge"]:
                return self._merge(repo, number, body)
            case "GET", ["diffs"]:
                return [self.diff(one) for one in forge.files(repo, number)]
            case "GET", ["commits"]:
                return [self.commit(one) for one in reversed(forge.commits(repo, number))]
            case "GET", ["notes"]:
                told = [self.note(one) for one in forge.comments(repo, number)]
                return [self.note(Comment(forge.me.login, "added 1 commit", 1.0, id="999"), system=True), *told]
            case "POST", ["notes"]:
                if body["body"].endswith("/submit_review requested_changes"):
                    self.asked_changes.add(forge.me.login)
                    body["body"] = body["body"].rpartition("\n\n")[0]
                return 201, self.note(forge.add_comment(repo, number, body["body"]))
            case "POST", ["discussions"]:
                where = body["position"]
                pull, files = forge.pull_request(repo, number), {one.path: one for one in forge.files(repo, number)}
                if where["head_sha"] != pull.head.sha or not where["base_sha"] or where["position_type"] != "text":
                    raise InvalidError("position is incomplete")
                if where["new_line"] not in added_lines(files[where["new_path"]].patch):
                    raise InvalidError("line_code can't be blank")
                told = LineComment(where["new_path"], where["new_line"], body["body"])
                return 201, {"id": "d1", "notes": [self.note(forge.comment_on_line(repo, number, told))]}
            case "PUT", ["notes", key]:
                return self.note(forge.edit_comment(repo, number, key, body["body"]))
            case "DELETE", ["notes", key]:
                if not any(one.id == key for one in forge.comments(repo, number)):
                    raise MissingError("404 Not found")
                forge.delete_comment(repo, number, key)
                return 204, None
            case "GET", ["notes", key, "award_emoji"]:
                return self.emojis.get(key, [])
            case "POST", ["notes", key, "award_emoji"]:
                given = {"name": body["name"], "user": self.user(forge.me.login)}
                if given in self.emojis.setdefault(key, []):
                    raise MissingError("404 Award Emoji Name has already been taken Not Found")
                forge.react(repo, number, key, _EMOJIS.get(body["name"], body["name"]))  # type: ignore[arg-type]
                self.emojis[key].append(given)
                return 201, given
            case "GET", ["approvals"]:
                said = [one for one in forge.reviews(repo, number) if one.state == "approved"]
                return {"approved_by": [{"user": self.user(one.author), "approved_at": moment(one.at)} for one in said]}
            case "GET", ["reviewers"]:
                asking = self.asked_changes | {one.author for one in forge.reviews(repo, number)
                                               if one.state == "changes_requested"}  # fmt: skip
                return [{"user": self.user(login), "state": "requested_changes", "created_at": moment(1.0)}
                        for login in sorted(asking)]  # fmt: skip
            case "POST", ["approve"]:
                forge.add_review(repo, number, "approved", "", body["sha"])
                return 201, {"approved_by": []}
        raise MissingError(f"no such call: {method} {'/'.join(rest)}")

    def _merge(self, repo: str, number: int, body: dict[str, Any]) -> Any:
        pull = self.forge.pull_request(repo, number)
        if pull.head.sha != body["sha"]:
            raise ConflictError("SHA does not match HEAD of source branch")
        if pull.state != "open" or pull.draft or pull.mergeable is False:
            raise MergeError("405 Method Not Allowed")
        words = body.get("squash_commit_message" if body["squash"] else "merge_commit_message", "")
        title, _, message = words.partition("\n\n")
        how = "squash" if body["squash"] else "merge"
        self.forge.merge(repo, number, how, body["sha"], "", title, message)
        return self.pull(self.forge.pull_request(repo, number))

    def _change(self, repo: str, number: int, body: dict[str, Any]) -> None:
        forge = self.forge
        if "title" in body:
            plain = body["title"].removeprefix("Draft: ")
            forge.set_draft(repo, number, plain != body["title"])
            forge.set_title(repo, number, plain)
        if "description" in body:
            forge.set_body(repo, number, body["description"])
        forge.add_labels(repo, number, [one for one in body.get("add_labels", "").split(",") if one])
        forge.remove_labels(repo, number, [one for one in body.get("remove_labels", "").split(",") if one])
        for role, add, end in (("assignee", forge.assign, forge.unassign),
                               ("reviewer", forge.request_review, forge.unrequest_review)):  # fmt: skip
            if f"{role}_ids" in body:
                wanted = {self.login(key) for key in body[f"{role}_ids"] if key}
                pull = forge.pull_request(repo, number)
                now = pull.assignees if role == "assignee" else pull.requested_reviewers
                add(repo, number, wanted - now)
                end(repo, number, now - wanted)
        if "milestone_id" in body:
            titles = {number_of(title): title for title in forge.milestones(repo)}
            forge.set_milestone(repo, number, titles[body["milestone_id"]] if body["milestone_id"] else "")
        match body.get("state_event"):
            case "close":
                forge.close(repo, number)
            case "reopen":
                try:
                    forge.reopen(repo, number)
                except ConflictError:
                    return
