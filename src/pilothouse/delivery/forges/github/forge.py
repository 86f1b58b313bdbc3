"""GitHub, on github.com and on an Enterprise Server, as a forge. Source: https://docs.github.com/rest"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pilothouse.delivery.forges.errors import ConflictError, InvalidError, MergeError, MissingError
from pilothouse.delivery.forges.github import shapes
from pilothouse.delivery.forges.github.entering import AppEntry, Entry
from pilothouse.delivery.forges.github.writing import GitHubWriting
from pilothouse.delivery.forges.model import (
    Comment,
    Commit,
    LineComment,
    MergeMethod,
    Permission,
    PullRequest,
    Remote,
    Repository,
    Status,
    User,
)
from pilothouse.delivery.forges.remote import pushing
from pilothouse.delivery.forges.remote.calling import Caller, path_of, segment
from pilothouse.delivery.forges.remote.forge import Access, checked_hash, checked_ref, ready_to_merge
from pilothouse.delivery.forges.remote.hub import shortened
from pilothouse.delivery.forges.remote.reading import one

_DRAFT = "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { clientMutationId } }"
_READY = "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }"
_RIGHTS: dict[str, Permission] = {"admin": "admin", "maintain": "write", "push": "write", "triage": "triage"}
_CONCLUSIONS = {"success": "success", "failure": "failure", "error": "cancelled"}


class GitHubForge(GitHubWriting):
    """GitHub as one identity: a token's user, or an App, which reports checks instead of statuses."""

    shapes = shapes
    review_events: Mapping[str, str] = {
        "approved": "APPROVE", "changes_requested": "REQUEST_CHANGES", "commented": "COMMENT",
    }  # fmt: skip

    def __init__(self, access: Access, entry: Entry, checks: bool | None = None) -> None:
        """`checks`: whether statuses are told as checks; an App can, and does when it is not said."""
        super().__init__(access)
        self._entry = entry
        self._checks = isinstance(entry, AppEntry) if checks is None else checks

    def caller(self, repository: str) -> Caller:
        """Who asks for a repository."""
        return self._entry.caller(repository.partition("/")[0])

    def _who(self) -> User:
        return self._entry.who()

    # -- looking

    def repositories(self) -> tuple[Repository, ...]:
        """All that Pilothouse may work on."""
        if self._access.repositories:
            return tuple(map(self.repository, sorted(self._access.repositories)))
        found = [one(node) for caller, path in self._entry.repositories() for node in caller.pages(path)]
        return tuple(sorted(map(shapes.repository, found), key=lambda repository: repository.full_name))

    def diff(self, repository: str, number: int) -> str:
        """A pull request as one unified diff."""
        return self._text(repository, f"/pulls/{number:d}", "application/vnd.github.diff")

    def commit(self, repository: str, ref: str) -> Commit:
        """The commit that a branch, a tag or a hash stands for."""
        try:
            return shapes.commit(one(self._get(repository, f"/commits/{path_of(ref or 'HEAD')}")))
        except InvalidError as error:
            raise MissingError(str(error)) from None

    def _comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        on_lines = self._all(repository, f"/pulls/{number:d}/comments")
        found = [*super()._comments(repository, number), *(shapes.comment(node, "line-") for node in on_lines)]
        return tuple(sorted(found, key=lambda comment: comment.at))

    def line_comment(self, said: LineComment) -> dict[str, object]:
        """A comment on the new side of the diff."""
        return {"path": said.path, "line": said.line, "side": "RIGHT", "body": said.body}

    def statuses(self, repository: str, sha: str) -> Mapping[str, Status]:
        """The newest of statuses and checks for each context."""
        runs = map(shapes.check_run, self._all(repository, f"/commits/{checked_hash(sha)}/check-runs"))
        found = [*super().statuses(repository, sha).values(), *runs]
        return {status.context: status for status in sorted(found, key=lambda status: status.at)}

    def required_contexts(self, repository: str, branch: str) -> frozenset[str]:
        """Those of the branch's protection and of the rulesets that hold for it."""
        place = path_of(checked_ref(branch))
        protection = one(self._get(repository, f"/branches/{place}")).maybe("protection")
        checks = protection.maybe("required_status_checks") if protection else None
        found = [str(context) for context in checks.items("contexts")] if checks else []
        for rule in self._all(repository, f"/rules/branches/{place}"):
            if rule.text("type") == "required_status_checks" and (said := rule.maybe("parameters")):
                found += said.texts("required_status_checks", "context")
        return frozenset(found)

    def _raw(self, repository: str, path: str, ref: str) -> bytes:
        raw = "application/vnd.github.raw+json"
        asked = self._path(repository, f"/contents/{path_of(path)}")
        return self.caller(repository).ask("GET", asked, params={"ref": ref}, accept=raw).body

    def collaborators(self, repository: str) -> Mapping[str, Permission]:
        """Those who may do more than read, and what."""
        found: dict[str, Permission] = {}
        for node in self._all(repository, "/collaborators"):
            rights = node.maybe("permissions")
            best = next((name for name in _RIGHTS if rights and rights.flag(name, False)), "")
            if best:
                found[node.text("login")] = _RIGHTS[best]
        return found

    def remote(self, repository: str, write: bool = False) -> Remote:
        """Where git clones from and pushes to."""
        url = one(self._get(repository)).text("clone_url")
        return pushing.access(url, "x-access-token", self._entry.token(repository.partition("/")[0]))

    # -- acting

    def set_status(self, repository: str, sha: str, status: Status) -> None:
        """Say how a context stands: as a check, or as a status."""
        if not self._checks:
            super().set_status(repository, sha, status)
            return
        body: dict[str, object] = {"name": status.context, "details_url": status.url or None}
        words = status.description or status.state
        body["output"] = {"title": shortened(words), "summary": words}
        if status.state == "pending":
            body["status"] = "in_progress"
        else:
            body |= {"status": "completed", "conclusion": _CONCLUSIONS[status.state]}
        path = f"/commits/{checked_hash(sha)}/check-runs"
        there = [node.number("id") for node in self._all(repository, path, check_name=status.context, filter="latest")]
        if there:
            self._send("PATCH", repository, f"/check-runs/{max(there)}", body)
        else:
            self._send("POST", repository, "/check-runs", body | {"head_sha": sha})

    def add_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Give labels; GitHub makes those that are not there."""
        if labels:
            self._send("POST", repository, f"/issues/{number:d}/labels", {"labels": sorted(set(labels))})

    def remove_labels(self, repository: str, number: int, labels: Collection[str]) -> None:
        """Take labels away."""
        for label in sorted(set(labels)):
            try:
                self._send("DELETE", repository, f"/issues/{number:d}/labels/{segment(label)}")
            except MissingError:
                # Either the label is not given, or there is no such pull request.
                self._get(repository, f"/pulls/{number:d}")

    def assign(self, repository: str, number: int, logins: Collection[str]) -> frozenset[str]:
        """Assign people; GitHub passes over those who cannot be, so what it answers is compared."""
        wanted = {login.lstrip("@") for login in logins}
        if not wanted:
            return frozenset()
        made = one(self._send("POST", repository, f"/issues/{number:d}/assignees", {"assignees": sorted(wanted)}))
        there = {login.lower() for login in made.texts("assignees", "login")}
        return frozenset(login for login in logins if login.lstrip("@").lower() not in there)

    def unassign(self, repository: str, number: int, logins: Collection[str]) -> None:
        """End assignments."""
        wanted = sorted({login.lstrip("@") for login in logins})
        if wanted:
            self._send("DELETE", repository, f"/issues/{number:d}/assignees", {"assignees": wanted})

    def set_title(self, repository: str, number: int, title: str) -> None:
        """Rename a pull request."""
        self._send("PATCH", repository, f"/pulls/{number:d}", {"title": title})

    def set_draft(self, repository: str, number: int, draft: bool) -> None:
        """Make it a draft, or ready: only the GraphQL API can."""
        node = one(self._get(repository, f"/pulls/{number:d}"))
        if node.flag("draft", False) != draft:
            self.graphql(repository, _DRAFT if draft else _READY, {"id": node.text("node_id")})

    def set_milestone(self, repository: str, number: int, title: str) -> None:
        """Put it under an open milestone; an empty title takes it away."""
        milestone = self._milestones(repository).get(title)
        if title and milestone is None:
            raise MissingError(f"{repository} has no open milestone {title[:100]!r}")
        body = {"milestone": milestone.number("number") if milestone else None}
        self._send("PATCH", repository, f"/issues/{number:d}", body)

    def create_pull_request(
        self, repository: str, head: str, base: str, title: str, body: str = "", draft: bool = False
    ) -> PullRequest:
        """Ask for a merge; the open one if there is one."""
        whose = head if ":" in head else f"{repository.partition('/')[0]}:{head}"
        for node in self._all(repository, "/pulls", state="open", head=whose, base=base):
            return self._pull(repository, node, {})
        asked = {"head": head, "base": base, "title": title, "body": body, "draft": draft}
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
        asked = {"sha": head, "merge_method": method, "commit_title": title, "commit_message": message}
        try:
            made = self._send("PUT", repository, f"/pulls/{number:d}/merge", {k: v for k, v in asked.items() if v})
        except MergeError:
            raise
        except ConflictError as error:
            # 405: it does not merge; 409: the head is another.
            if ": 409" in str(error):
                raise
            raise MergeError(str(error)) from None
        return one(made).text("sha")
