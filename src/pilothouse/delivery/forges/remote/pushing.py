"""Moving a branch by git, where a forge's API cannot: the server compares and sets, as one step."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from collections.abc import Sequence

from pilothouse.delivery.forges.errors import ConflictError, MissingError, UnavailableError
from pilothouse.delivery.forges.model import Remote

_SECONDS = 300.0


def access(url: str, login: str, token: str) -> Remote:
    """A remote whose secret is in the environment, for git 2.31 and later, and for this host alone."""
    basic = base64.b64encode(f"{login}:{token}".encode()).decode()
    host = "/".join(url.split("/")[:3])
    return Remote(
        url,
        (
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", f"http.{host}/.extraHeader"),
            ("GIT_CONFIG_VALUE_0", f"Authorization: Basic {basic}"),
        ),
    )


def move(remote: Remote, branch: str, sha: str, expected: str, force: bool) -> None:
    """Move a branch from one commit to another that the remote has.

    Raises `ConflictError` when it is elsewhere or, without `force`, when the new commit does not come after.
    """
    with tempfile.TemporaryDirectory(prefix="pilothouse-git-") as directory:
        _git(["init", "--quiet", "--bare", directory], remote)
        here = ["--git-dir", directory]
        # All branches: then nothing has to be sent, and what comes after what is known here.
        refs = ["+refs/heads/*:refs/remotes/origin/*"]
        _git([*here, "fetch", "--quiet", "--no-tags", remote.url, *refs], remote)
        if _git([*here, "cat-file", "-e", f"{sha}^{{commit}}"], remote, check=False):
            _git([*here, "fetch", "--quiet", "--no-tags", remote.url, sha], remote)
        if not force and _git([*here, "merge-base", "--is-ancestor", expected, sha], remote, check=False):
            raise ConflictError(f"{sha[:12]} does not come after {expected[:12]}")
        lease = f"--force-with-lease=refs/heads/{branch}:{expected}"
        _git([*here, "push", "--quiet", "--porcelain", lease, remote.url, f"{sha}:refs/heads/{branch}"], remote)


def _git(arguments: Sequence[str], remote: Remote, check: bool = True) -> int:
    """Raises what its failure means; the output of git has addresses in it, and those have no secrets."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "LC_ALL": "C"}
    environment = {**os.environ, **quiet, **dict(remote.environment)}
    try:
        ended = subprocess.run(  # noqa: S603 - arguments are a list, and refs were checked
            ["git", *arguments],  # noqa: S607
            env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"git {arguments[2] if len(arguments) > 2 else ''}: took too long") from None
    if not check or ended.returncode == 0:
        return ended.returncode
    words = (ended.stderr + ended.stdout).strip()
    if "stale info" in words or "[rejected]" in words or "fetch first" in words or "cannot lock ref" in words:
        raise ConflictError("the branch is not where it was thought to be, or may not be moved by a push")
    if "not our ref" in words or "couldn't find remote ref" in words:
        raise MissingError("the repository has no such commit")
    raise UnavailableError(f"git: {words[-300:]}")
