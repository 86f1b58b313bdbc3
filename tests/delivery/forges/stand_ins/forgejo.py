"""Forgejo and Gitea: API v1, as their own description (`/swagger.v1.json`) has it."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from pilothouse.delivery.forges import (
    ChangedFile,
    Commit,
    ConflictError,
    InvalidError,
    MergeError,
    MissingError,
    PullRequest,
    Status,
)
from tests.delivery.forges.stand_ins.hub import HubStandIn
from tests.delivery.forges.stand_ins.rest import Asked, moment, number_of


class ForgejoStandIn(HubStandIn):
    """Forgejo."""

    line_field, shown_line_field = "new_position", "position"
    event_states = {"APPROVED": "approved", "REQUEST_CHANGES": "changes_requested", "COMMENT": "commented"}  # noqa: RUF012
    review_states = {"approved": "APPROVED", "changes_requested": "REQUEST_CHANGES", "commented": "COMMENT"}  # noqa: RUF012
    sha_of_branch = "id"

    def let_in(self, request: httpx.Request) -> bool:
        """By a token in Forgejo's form."""
        return request.headers.get("authorization") == f"token {self.token}"

    # -- shapes

    def title(self, pull: PullRequest) -> str:
        """A draft is one by its title."""
        return f"WIP: {pull.title}" if pull.draft else pull.title

    def told_title(self, body: dict[str, Any]) -> str:
        """The title without what makes it a draft."""
        return str(body["title"]).removeprefix("WIP: ")

    def told_draft(self, body: dict[str, Any]) -> bool:
        """By the title."""
        assert "draft" not in body
        return str(body["title"]).startswith("WIP: ")

    def change(self, repo: str, number: int, body: dict[str, Any]) -> None:
        """A title also says whether it is a draft."""
        if "title" in body:
            self.forge.set_draft(repo, number, self.told_draft(body))
            body = body | {"title": self.told_title(body)}
        super().change(repo, number, body)

    def ordered(self, commits: tuple[Commit, ...]) -> list[Commit]:
        """Newest first."""
        return list(reversed(commits))

    def protection(self, name: str) -> dict[str, Any]:
        """As the branch says it."""
        return {"protected": True, "required_approvals": 0, "enable_status_check": True,
                "status_check_contexts": ["ci/*"], "effective_branch_protection_name": name}  # fmt: skip

    def diff_of(self, asked: Asked, wanted: str) -> int:
        """What is asked for says the address."""
        return int(wanted.removesuffix(".diff")) if wanted.endswith(".diff") else 0

    def file(self, file: ChangedFile) -> dict[str, Any]:
        """A file of a change, with Forgejo's words for what happened to it."""
        status = {"added": "added", "modified": "changed", "removed": "deleted", "renamed": "renamed"}[file.change]
        return {"filename": file.path, "status": status, "additions": file.additions, "deletions": file.deletions,
                "previous_filename": file.previous}  # fmt: skip

    def status(self, status: Status) -> dict[str, Any]:
        """A status."""
        return {"id": number_of(status.context), "status": status.state, "context": status.context,
                "description": status.description, "target_url": status.url, "created_at": moment(status.at),
                "updated_at": moment(status.at)}  # fmt: skip

    # -- calls

    def answer(self, asked: Asked) -> Any:
        """Labels of organisations, then what is common."""
        match asked.method, asked.parts:
            case "GET", ["orgs", owner, "labels"]:
                return [{"id": 5_000_000, "name": "everywhere"}] if owner == "shop" else []
        return super().answer(asked)

    def of_repository(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """Where Forgejo answers otherwise than GitHub."""
        match method, rest:
            case "GET", ["git", "trees", sha]:
                found, number = self.tree(repo, sha), int(asked.query.get("page", "1"))
                page = found[(number - 1) * self.page : number * self.page]
                return {"sha": sha, "truncated": len(page) < len(found), "page": number, "total_count": len(found),
                        "tree": page}  # fmt: skip
        return super().of_repository(asked, repo, method, rest)

    def own(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """What only Forgejo answers."""
        forge, body = self.forge, asked.body
        match method, rest:
            case "GET", ["commits", sha, "status"]:
                found = [self.status(one) for one in forge.statuses(repo, sha).values()]
                return {"state": "success", "sha": sha, "statuses": found or None, "total_count": len(found)}
            case "GET", ["git", "commits", *ref]:
                return self.commit(forge.commit(repo, "/".join(ref)))
            case "GET", ["raw", *path]:
                return forge.read_file(repo, "/".join(path), asked.query.get("ref", ""))
            case "POST", ["pulls", number, "merge"]:
                return self._merge(repo, int(number), body)
            case "GET", ["pulls", number, "reviews", review, "comments"]:
                said = [one for one in forge.comments(repo, int(number)) if self.review_of.get(one.id) == review]
                return list(map(self.line_comment, said))
            case "POST", ["labels"]:
                forge.add_label(repo, body["name"])
                return 201, {"id": number_of(body["name"]), "name": body["name"]}
            case "GET", ["issues", number, "labels"]:
                return [self._label(name) for name in sorted(forge.pull_request(repo, int(number)).labels)]
            case "POST", ["issues", number, "labels"]:
                names = {number_of(name): name for name in forge.labels(repo)} | {5_000_000: "everywhere"}
                forge.add_labels(repo, int(number), [names[key] for key in body["labels"]])
                return [self._label(name) for name in sorted(forge.pull_request(repo, int(number)).labels)]
            case "DELETE", ["issues", number, "labels", key]:
                names = {str(self._label(name)["id"]): name for name in forge.labels(repo)}
                forge.remove_labels(repo, int(number), [names[key]])
                return 204, None
            case "PATCH", ["issues", number]:
                self._issue(repo, int(number), body)
                return 201, self.pull(forge.pull_request(repo, int(number)))
            case "GET", ["collaborators"]:
                return [self.user(login) for login in forge.collaborators(repo)]
            case "POST", ["branches"]:
                forge.create_branch(repo, body["new_branch_name"], body["old_ref_name"])
                return 201, self.branch(body["new_branch_name"], body["old_ref_name"])
            case "DELETE", ["branches", *branch]:
                forge.delete_branch(repo, "/".join(branch))
                return 204, None
            case "POST", ["tags"]:
                forge.create_tag(repo, body["tag_name"], body["target"], body["message"])
                return 201, {"name": body["tag_name"]}
            case "POST", ["contents"]:
                return 201, self._contents(repo, body)
        raise MissingError(f"no such call: {method} {'/'.join(rest)}")

    def _label(self, name: str) -> dict[str, Any]:
        return {"id": 5_000_000 if name == "everywhere" else number_of(name), "name": name}

    def _merge(self, repo: str, number: int, body: dict[str, Any]) -> Any:
        pull = self.forge.pull_request(repo, number)
        if pull.head.sha != body["head_commit_id"]:
            raise ConflictError("head out of date")
        if pull.state != "open" or pull.draft or pull.mergeable is False:
            raise MergeError("Please try again later")
        words = body.get("MergeTitleField", ""), body.get("MergeMessageField", "")
        self.forge.merge(repo, number, body["Do"], body["head_commit_id"], "", *words)
        return 200, None

    def _issue(self, repo: str, number: int, body: dict[str, Any]) -> None:
        if "assignees" in body:
            now = self.forge.pull_request(repo, number).assignees
            if refused := self.forge.assign(repo, number, body["assignees"]):
                raise InvalidError(f"user does not exist or has no access: {sorted(refused)}")
            self.forge.unassign(repo, number, now - set(body["assignees"]))
        if "milestone" in body:
            titles = {number_of(title): title for title in self.forge.milestones(repo)}
            self.forge.set_milestone(repo, number, titles[body["milestone"]] if body["milestone"] else "")

    def _contents(self, repo: str, body: dict[str, Any]) -> dict[str, Any]:
        files: dict[str, bytes | None] = {}
        begun = self.forge.branches(repo).get(body["branch"])
        known = {node["path"]: node["sha"] for node in self.tree(repo, begun)} if begun else {}
        for change in body["files"]:
            if change["operation"] != "create" and known.get(change["path"]) != change["sha"]:
                raise ConflictError("sha does not match")
            if change["operation"] == "create" and change["path"] in known:
                raise InvalidError("repository file already exists")
            deleted = change["operation"] == "delete"
            files[change["path"]] = None if deleted else base64.b64decode(change["content"])
        branch = body.get("new_branch") or body["branch"]
        start = body["branch"] if body.get("new_branch") else ""
        return {"commit": {"sha": self.forge.commit_files(repo, branch, body["message"], files, "", start)}}
