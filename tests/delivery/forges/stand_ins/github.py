"""GitHub: REST (https://docs.github.com/rest), the two GraphQL mutations that are used, and Apps."""

from __future__ import annotations

import base64
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from pilothouse.delivery.forges import ChangedFile, InvalidError, MergeError, MissingError, Status
from tests.delivery.forges.stand_ins.hub import HubStandIn
from tests.delivery.forges.stand_ins.rest import Asked, moment, number_of

SLUG = "pilothouse"


class GitHubStandIn(HubStandIn):
    """GitHub. `app_keys` are public keys of Apps by their ids; installation tokens end after `token_seconds`."""

    event_states = {"APPROVE": "approved", "REQUEST_CHANGES": "changes_requested", "COMMENT": "commented"}  # noqa: RUF012
    review_states = {"approved": "APPROVED", "changes_requested": "CHANGES_REQUESTED", "commented": "COMMENTED",  # noqa: RUF012
                     "dismissed": "DISMISSED"}  # fmt: skip

    def __post_init__(self) -> None:
        self.app_keys: dict[str, Any] = {}
        self.app_tokens: dict[str, float] = {}
        self.checks: dict[int, dict[str, Any]] = {}
        self.line_comments: list[dict[str, Any]] = []

    # -- Apps

    def let_in(self, request: httpx.Request) -> bool:
        """By a token, an installation's token, or an App's own signed one."""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.url.path.removeprefix("/api/v3").startswith("/app"):
            return self._is_app(bearer)
        return bearer == self.token or self.app_tokens.get(bearer, 0) > time.time()

    def _is_app(self, token: str) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        head, claims, signature = (part + "=" * (-len(part) % 4) for part in token.split("."))
        told = json.loads(base64.urlsafe_b64decode(claims))
        assert json.loads(base64.urlsafe_b64decode(head)) == {"alg": "RS256", "typ": "JWT"}
        signed = token.rpartition(".")[0].encode()
        try:
            self.app_keys[told["iss"]].verify(base64.urlsafe_b64decode(signature), signed, padding.PKCS1v15(),
                                              hashes.SHA256())  # fmt: skip
        except (InvalidSignature, KeyError):
            return False
        return bool(told["iat"] <= time.time() < told["exp"] <= time.time() + 600)

    def answer(self, asked: Asked) -> Any:
        """GitHub's own, then what is common."""
        match asked.method, asked.parts:
            case "GET", ["app"]:
                return {"id": 1, "slug": SLUG, "name": "Pilothouse"}
            case "GET", ["app", "installations"]:
                return [{"id": 77, "account": {"login": "shop"}}]
            case "POST", ["app", "installations", "77", "access_tokens"]:
                token = f"ghs_{len(self.app_tokens)}"
                self.app_tokens[token] = time.time() + 3600
                return 201, {"token": token, "expires_at": moment(self.app_tokens[token])}
            case "GET", ["installation", "repositories"]:
                found = [self.repository(one.full_name) for one in self.forge.repositories()]
                return {"total_count": len(found), "repositories": found}
            case "POST", ["graphql"] | ["api", "graphql"]:
                return self.graphql(asked.body)
        return super().answer(asked)

    def graphql(self, body: dict[str, Any]) -> Any:
        """The mutations; what fails is told with status 200."""
        variables = body["variables"]
        try:
            if "updateRefs" in body["query"]:
                given = variables["input"]
                for update in given["refUpdates"]:
                    self.forge.move_branch(given["repositoryId"].removeprefix("R_"), update["name"].removeprefix(
                        "refs/heads/"), update["afterOid"], update["beforeOid"], update["force"])  # fmt: skip
            else:
                _, repo, number = variables["id"].split("_")
                self.forge.set_draft(repo, int(number), "convertPullRequestToDraft" in body["query"])
        except Exception as error:
            return {"data": None, "errors": [{"type": "UNPROCESSABLE", "message": str(error)}]}
        return {"data": {"done": {"clientMutationId": None}}}

    # -- shapes

    def protection(self, name: str) -> dict[str, Any]:
        """As for everybody who may read."""
        checks = {"enforcement_level": "everyone", "contexts": ["ci/build"], "checks": [{"context": "ci/build"}]}
        return {"protected": True, "protection": {"enabled": True, "required_status_checks": checks}}

    def diff_of(self, asked: Asked, wanted: str) -> int:
        """What is asked for says the accept header."""
        return int(wanted) if asked.request.headers["accept"] == "application/vnd.github.diff" else 0

    def file(self, file: ChangedFile) -> dict[str, Any]:
        """A file of a change."""
        return {"filename": file.path, "status": file.change, "additions": file.additions,
                "deletions": file.deletions, "patch": file.patch} | (
                {"previous_filename": file.previous} if file.previous else {})  # fmt: skip

    def status(self, status: Status) -> dict[str, Any]:
        """A status."""
        return {"state": status.state, "context": status.context, "description": status.description,
                "target_url": status.url or None, "created_at": moment(status.at)}  # fmt: skip

    # -- calls

    def own(self, asked: Asked, repo: str, method: str, rest: list[str]) -> Any:
        """What only GitHub answers."""
        forge, body = self.forge, asked.body
        match method, rest:
            case "GET", ["commits", sha, "status"]:
                found = [self.status(one) for one in forge.statuses(repo, sha).values()]
                return {"state": "success", "sha": sha, "statuses": found, "total_count": len(found)}
            case "GET", ["rules", "branches", *_]:
                rules = [{"context": "from-a-ruleset", "integration_id": 15368}]
                return [
                    {"type": "deletion", "ruleset_id": 1},
                    {"type": "required_status_checks", "ruleset_id": 1,
                     "parameters": {"strict_required_status_checks_policy": True, "required_status_checks": rules}},
                ]  # fmt: skip
            case "GET", ["commits", sha, "check-runs"]:
                name = asked.query.get("check_name")
                found = [run for run in self.checks.values() if run["head_sha"] == sha and name in (None, run["name"])]
                return {"total_count": len(found), "check_runs": found}
            case "POST", ["check-runs"]:
                return 201, self._check(len(self.checks) + 1, {"status": "queued", "conclusion": None, **body})
            case "PATCH", ["check-runs", key]:
                return self._check(int(key), {**self.checks[int(key)], **body})
            case "GET", ["commits", *ref]:
                return self.commit(forge.commit(repo, "" if ref == ["HEAD"] else "/".join(ref)))
            case "GET", ["pulls", number, "comments"]:
                said = [one for one in self.forge.comments(repo, int(number)) if one.path]
                return [*self.line_comments, *map(self.line_comment, said)]
            case "PUT", ["pulls", number, "merge"]:
                return self._merge(repo, int(number), body)
            case "POST", ["issues", number, "labels"]:
                forge.add_labels(repo, int(number), body["labels"])
                return [{"name": name} for name in sorted(forge.pull_request(repo, int(number)).labels)]
            case "DELETE", ["issues", number, "labels", label]:
                if label not in forge.pull_request(repo, int(number)).labels:
                    raise MissingError("Label does not exist")
                forge.remove_labels(repo, int(number), [label])
                return []
            case "POST", ["issues", number, "assignees"]:
                forge.assign(repo, int(number), body["assignees"])
                return 201, self.pull(forge.pull_request(repo, int(number)))
            case "DELETE", ["issues", number, "assignees"]:
                forge.unassign(repo, int(number), body["assignees"])
                return self.pull(forge.pull_request(repo, int(number)))
            case "PATCH", ["issues", number]:
                titles = {number_of(title): title for title in forge.milestones(repo)}
                forge.set_milestone(repo, int(number), titles[body["milestone"]] if body["milestone"] else "")
                return self.pull(forge.pull_request(repo, int(number)))
            case "GET", ["collaborators"]:
                return [self._collaborator(login, may) for login, may in forge.collaborators(repo).items()]
            case _, ["git", *inside]:
                return self._git(asked, repo, method, inside)
        raise MissingError(f"no such call: {method} {'/'.join(rest)}")

    def _check(self, key: int, run: dict[str, Any]) -> dict[str, Any]:
        assert run["status"] in ("queued", "in_progress", "completed")
        at = moment(time.time())
        self.checks[key] = run | {"id": key, "started_at": at, "completed_at": at if run.get("conclusion") else None}
        return self.checks[key]

    def _merge(self, repo: str, number: int, body: dict[str, Any]) -> Any:
        pull = self.forge.pull_request(repo, number)
        if pull.head.sha != body["sha"]:
            return 409, {"message": "Head branch was modified. Review and try the merge again."}
        if pull.state != "open" or pull.draft or pull.mergeable is False:
            raise MergeError("Pull Request is not mergeable")
        words = body.get("commit_title", ""), body.get("commit_message", "")
        sha = self.forge.merge(repo, number, body["merge_method"], body["sha"], "", *words)
        return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}

    def _collaborator(self, login: str, may: str) -> dict[str, Any]:
        order = ["pull", "triage", "push", "maintain", "admin"]
        reach = {"read": 0, "triage": 1, "write": 2, "admin": 4}[may]
        return self.user(login) | {"permissions": {name: place <= reach for place, name in enumerate(order)}}

    def _git(self, asked: Asked, repo: str, method: str, inside: list[str]) -> Any:
        """The Git database, with git."""
        forge, body = self.forge, asked.body
        match method, inside:
            case "POST", ["refs"]:
                ref, sha = body["ref"], body["sha"]
                kind, _, name = ref.removeprefix("refs/").partition("/")
                there = forge.branches(repo) if kind == "heads" else forge.tags(repo)
                if name in there:
                    raise InvalidError("Reference already exists")
                self.git(repo, "update-ref", ref, sha)
                if kind == "heads":
                    self.git(repo, "update-ref", "-d", ref)
                    forge.create_branch(repo, name, sha)
                return 201, {"ref": ref, "object": {"sha": sha}}
            case "DELETE", ["refs", "heads", *branch]:
                if "/".join(branch) not in forge.branches(repo):
                    raise InvalidError("Reference does not exist")
                forge.delete_branch(repo, "/".join(branch))
                return 204, None
            case "POST", ["tags"]:
                who = "Pilothouse <pilothouse@forge.invalid> 0 +0000"
                text = f"object {body['object']}\ntype commit\ntag {body['tag']}\ntagger {who}\n\n{body['message']}\n"
                return 201, {"sha": self.git(repo, "mktag", given=text.encode())}
            case "POST", ["blobs"]:
                assert body["encoding"] == "base64"
                content = base64.b64decode(body["content"])
                return 201, {"sha": self.git(repo, "hash-object", "-w", "--stdin", given=content)}
            case "GET", ["commits", sha]:
                return {"sha": sha, "tree": {"sha": self.git(repo, "rev-parse", f"{sha}^{{tree}}")}}
            case "POST", ["trees"]:
                return 201, {"sha": self._tree_of(repo, body)}
            case "POST", ["commits"]:
                who = {f"GIT_{role}_{what}": "pilothouse@forge.invalid" for role in ("AUTHOR", "COMMITTER")
                       for what in ("NAME", "EMAIL")}  # fmt: skip
                parents = [part for parent in body["parents"] for part in ("-p", parent)]
                given = body["message"].encode()
                return 201, {"sha": self.git(repo, "commit-tree", body["tree"], *parents, given=given, environ=who)}
        raise MissingError(f"no such call: {method} git/{'/'.join(inside)}")

    def _tree_of(self, repo: str, body: dict[str, Any]) -> str:
        with tempfile.TemporaryDirectory() as directory:
            index = {"GIT_INDEX_FILE": str(Path(directory, "index"))}
            self.git(repo, "read-tree", body["base_tree"], environ=index)
            for entry in body["tree"]:
                line = f"{entry['mode'] if entry['sha'] else 0} {entry['sha'] or '0' * 40}\t{entry['path']}\n"
                self.git(repo, "update-index", "--index-info", given=line.encode(), environ=index)
            return self.git(repo, "write-tree", environ=index)
