"""Commits and branches on GitHub, by its Git database and its GraphQL API.

Source: https://docs.github.com/rest/git and, for moving a ref only from where it is thought to be,
https://docs.github.com/graphql/reference/mutations#updaterefs
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from pilothouse.delivery.forges.errors import ConflictError, InvalidError, MissingError
from pilothouse.delivery.forges.events import NO_COMMIT
from pilothouse.delivery.forges.remote.calling import path_of
from pilothouse.delivery.forges.remote.forge import checked_hash, checked_ref
from pilothouse.delivery.forges.remote.hub import HubForge
from pilothouse.delivery.forges.remote.reading import one

_UPDATE_REFS = """mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"""
_FILE, _PROGRAM = "100644", "100755"


class GitHubWriting(HubForge):
    """What changes git's objects and refs."""

    def graphql(self, repository: str, query: str, variables: Mapping[str, Any]) -> Any:
        """What a query answers. Raises `ConflictError` with GitHub's words."""
        caller = self.caller(repository)
        base = caller.base.removesuffix("/v3") if caller.base.endswith("/api/v3") else caller.base
        answer = one(caller.send("POST", f"{base}/graphql", {"query": query, "variables": variables}))
        if answer.items("errors"):
            words = "; ".join(node.text("message", "") for node in answer.nodes("errors"))
            raise ConflictError(f"{self.name}: {words[:300]}")
        return answer.node("data")

    def _make_branch(self, repository: str, branch: str, sha: str) -> None:
        self._make_ref(repository, f"refs/heads/{branch}", sha)

    def _make_tag(self, repository: str, tag: str, sha: str, message: str) -> None:
        if message:
            asked = {"tag": tag, "message": message, "object": sha, "type": "commit"}
            sha = one(self._send("POST", repository, "/git/tags", asked)).text("sha")
        self._make_ref(repository, f"refs/tags/{tag}", sha)

    def _make_ref(self, repository: str, ref: str, sha: str) -> None:
        try:
            self._send("POST", repository, "/git/refs", {"ref": ref, "sha": sha})
        except InvalidError as error:
            if "already exists" in str(error):
                raise ConflictError(f"{ref} is there already") from None
            if "does not exist" in str(error) or "No commit" in str(error):
                raise MissingError(f"{repository} has no commit {sha[:12]}") from None
            raise

    def move_branch(self, repository: str, branch: str, sha: str, expected: str, force: bool = False) -> None:
        """Move a branch; GitHub compares and sets as one step."""
        there = self.tip(repository, branch)
        if there == checked_hash(sha):
            return
        if there != checked_hash(expected):
            raise ConflictError(f"{branch} is at {there[:12] or 'nothing'} now, not at {expected[:12]}")
        update = {"name": f"refs/heads/{checked_ref(branch)}", "beforeOid": expected, "afterOid": sha, "force": force}
        known = one(self._get(repository)).text("node_id")
        self.graphql(repository, _UPDATE_REFS, {"input": {"repositoryId": known, "refUpdates": [update]}})

    def delete_branch(self, repository: str, branch: str) -> None:
        """Take a branch away."""
        if branch == self.repository(repository).default_branch:
            raise InvalidError(f"{branch} is the default branch")
        try:
            self._send("DELETE", repository, f"/git/refs/heads/{path_of(checked_ref(branch))}")
        except (MissingError, InvalidError) as error:
            if isinstance(error, InvalidError) and "does not exist" not in str(error):
                raise

    def commit_files(
        self, repository: str, branch: str, message: str, files: Mapping[str, bytes | None], expected: str = "",
        start: str = "",
    ) -> str:  # fmt: skip
        """One commit on a branch."""
        there = self.tip(repository, checked_ref(branch))
        if expected and there != expected:
            raise ConflictError(f"{branch} is at {there[:12] or 'nothing'}, not at {expected[:12]}")
        try:
            parent = there or self.commit(repository, start or self.repository(repository).default_branch).sha
        except (ConflictError, MissingError):
            if start:
                raise
            # An empty repository: GitHub has no Git database there before the first file.
            return self._first(repository, branch, message, files)
        tree = self._changed_tree(repository, parent, files)
        if there and not tree:
            return there
        made = parent if not tree else self._commit(repository, message, tree, parent)
        if not there:
            self._make_ref(repository, f"refs/heads/{branch}", made)
        else:
            self.move_branch(repository, branch, made, there)
        return made

    def _commit(self, repository: str, message: str, tree: str, parent: str) -> str:
        asked = {"message": message, "tree": tree, "parents": [parent]}
        return one(self._send("POST", repository, "/git/commits", asked)).text("sha")

    def _changed_tree(self, repository: str, parent: str, files: Mapping[str, bytes | None]) -> str:
        """The tree with the files in it; empty when it is the same as before."""
        modes = {node.text("path"): node.text("mode") for node in self._tree(repository, parent)}
        entries: list[dict[str, Any]] = []
        for path, content in sorted(files.items()):
            mode = modes.get(path, _FILE)
            entry: dict[str, Any] = {"path": path, "mode": mode if mode in (_FILE, _PROGRAM) else _FILE, "type": "blob"}
            path_of(path)
            if content is None:
                if path in modes:
                    entries.append({**entry, "sha": None})
                continue
            blob = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            entries.append({**entry, "sha": one(self._send("POST", repository, "/git/blobs", blob)).text("sha")})
        if not entries:
            return ""
        before = one(self._get(repository, f"/git/commits/{parent}")).node("tree").text("sha")
        asked = {"base_tree": before, "tree": entries}
        after = one(self._send("POST", repository, "/git/trees", asked)).text("sha")
        return "" if after == before else after

    def _first(self, repository: str, branch: str, message: str, files: Mapping[str, bytes | None]) -> str:
        made = NO_COMMIT
        for path, content in sorted(files.items()):
            if content is not None:
                asked = {"message": message, "content": base64.b64encode(content).decode(), "branch": branch}
                put = one(self._send("PUT", repository, f"/contents/{path_of(path)}", asked))
                made = put.node("commit").text("sha")
        return made
