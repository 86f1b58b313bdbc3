"""From a git repository: `url`, `revision`, `pathInRepo`."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.resolvers import needed, only

_COMMIT = re.compile(r"[0-9a-f]{40}")
# An address must not be an option, nor one of git's ways to run programs (ext::, fd::).
_ADDRESS = re.compile(r"(?:https?|ssh|git|file)://[^\s]+|[\w.-]+@[\w.-]+:[^\s]+|/[^\s]+")


async def resolve(kind: str, params: dict[str, Any]) -> tuple[Document, dict[str, Any]]:
    """The object in a file of a repository, at a branch, tag or commit."""
    if params.get("org") and params.get("repo"):
        server = str(params.get("serverURL") or "https://github.com").rstrip("/")
        params = {**params, "url": f"{server}/{params['org']}/{params['repo']}.git"}
    url, path = needed(params, "url", "pathInRepo")
    revision = str(params.get("revision") or "main")
    if not _ADDRESS.fullmatch(url) or revision.startswith("-"):
        raise ResolveError(f"{url} at {revision}: not an address and revision of git")
    with tempfile.TemporaryDirectory(prefix="pilothouse-git-") as place:
        await _git(place, "init", "--quiet", "--bare")
        await _git(place, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, revision)
        commit = (await _git(place, "rev-parse", "FETCH_HEAD^{commit}")).strip()
        text = await _git(place, "show", f"{commit}:{Path(path).as_posix().lstrip('/')}")
    source = {"uri": f"git+{url}", "digest": {"sha1": commit}, "entryPoint": path}
    return only(kind, text, f"{url}/{path}"), source


async def _git(place: str, *arguments: str) -> str:
    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "http:https:ssh:git:file",
    }
    try:
        process = await asyncio.create_subprocess_exec(
            "git", *arguments, cwd=place, env=environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError:
        raise ResolveError("git is not installed here") from None
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        raise ResolveError(
            err.decode(errors="replace").strip().splitlines()[-1] if err.strip() else f"git {arguments[0]} failed"
        )
    return out.decode("utf-8", "replace")
