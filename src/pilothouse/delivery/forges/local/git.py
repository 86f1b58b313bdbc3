"""git itself, as a process: no shell, no configuration but ours, bounded time and output."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pilothouse.delivery.forges.errors import ForgeError, MissingError
from pilothouse.delivery.forges.local import loose

_SECONDS = 120.0
_MOST = 64 << 20

# Objects that come from people are checked by receive-pack; hooks only from where we put them; nothing asks, nothing
# signs, nothing follows what a user configured for himself.
SETTINGS: Mapping[str, str] = {
    "safe.directory": "*",
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "protocol.allow": "never",
    "protocol.file.allow": "always",
    "core.bigFileThreshold": "16m",
    "core.packedGitLimit": "256m",
    "core.deltaBaseCacheLimit": "32m",
    "pack.windowMemory": "64m",
    "pack.threads": "1",
    "gc.auto": "0",
    "receive.autogc": "false",
    "receive.advertisePushOptions": "false",
    "receive.fsckObjects": "true",
    # Old, harmless flaws of real histories.
    "receive.fsck.zeroPaddedFilemode": "ignore",
    "receive.fsck.missingSpaceBeforeDate": "ignore",
    "receive.fsck.badTimezone": "ignore",
    "receive.denyCurrentBranch": "ignore",
    # The default branch is protected by our own rule, in our own words.
    "receive.denyDeleteCurrent": "ignore",
    "receive.hideRefs": "refs/pull",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowReachableSHA1InWant": "true",
    "commit.gpgSign": "false",
}


class GitError(ForgeError):
    """git refused; the message is its own words."""


def environment(settings: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The whole environment of a git process: nothing of ours leaks into it but PATH."""
    every = {**SETTINGS, **settings}
    found = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_COUNT": str(len(every)),
    }
    for at, (key, value) in enumerate(every.items()):
        found[f"GIT_CONFIG_KEY_{at}"] = key
        found[f"GIT_CONFIG_VALUE_{at}"] = value
    return found


class Git:
    """The git of one bare repository."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        fine: Sequence[int] = (0,),
        most: int = _MOST,
        seconds: float = _SECONDS,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> bytes:
        """What git writes. `fine` are the exit codes that are no error. Raises `GitError`, also above `most` bytes."""
        code, output, said = self.tried(*arguments, given=given, most=most, seconds=seconds, environ=environ)
        if code not in fine:
            raise GitError(f"git {arguments[0]}: {said or f'exit code {code}'}")
        return output

    def tried(
        self,
        *arguments: str,
        given: bytes = b"",
        most: int = _MOST,
        seconds: float = _SECONDS,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, bytes, str]:
        """Exit code, output and the last words of git; `environ` is added to its environment."""
        with tempfile.TemporaryFile() as standard_input, tempfile.TemporaryFile() as words:
            standard_input.write(given)
            standard_input.seek(0)
            process = subprocess.Popen(  # noqa: S603
                ["git", f"--git-dir={self.directory}", *arguments],  # noqa: S607
                stdin=standard_input, stdout=subprocess.PIPE, stderr=words, env=environment() | dict(environ), cwd="/",
            )  # fmt: skip
            assert process.stdout is not None
            alarm = threading.Timer(seconds, process.kill)
            alarm.start()
            try:
                output = process.stdout.read(most + 1)
                if len(output) > most:
                    process.kill()
                code = process.wait()
            finally:
                alarm.cancel()
                process.stdout.close()
            words.seek(0)
            said = words.read(4000).decode("utf-8", "replace").strip()
        if len(output) > most:
            raise GitError(f"git {arguments[0]}: more than {most >> 20} MB")
        return code, output, said

    def text(
        self,
        *arguments: str,
        given: bytes = b"",
        fine: Sequence[int] = (0,),
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """What git writes, as text without the last line end."""
        return (
            self.run(*arguments, given=given, fine=fine, environ=environ).decode("utf-8", "replace").removesuffix("\n")
        )

    def commit(self, name: str) -> str:
        """The hash of the commit that a whole ref or a hash stands for. Raises `MissingError`."""
        found = self.commit_or_none(name)
        if found is None:
            raise MissingError(f"there is no commit {name.removeprefix('refs/heads/')[:100]!r}")
        return found

    def commit_or_none(self, name: str) -> str | None:
        """The hash of a commit, None when there is none."""
        if found := loose.commit_head(self.directory, name)[0]:
            return found
        # Asked on standard input: a name can never be an option.
        said = self.text("cat-file", "--batch-check", given=f"{name}^{{commit}}\n".encode())
        parts = said.split(" ")
        return parts[0] if len(parts) == 3 and parts[1] == "commit" else None

    def tree(self, commit: str) -> str:
        """The hash of a commit's tree."""
        return loose.tree_of(self.directory, commit) or self.text("rev-parse", f"{commit}^{{tree}}")

    def set_ref(self, ref: str, sha: str) -> None:
        """Set a ref that nobody but this house writes, whatever it was (`refs/pull/...`)."""
        if not loose.write_ref(self.directory, ref, sha):
            self.run("update-ref", ref, sha)

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether commit `one` is `other` or comes before it."""
        if one == other and loose.HASH.fullmatch(one):
            return True
        return self.tried("merge-base", "--is-ancestor", one, other)[0] == 0

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor, or nothing."""
        return self.text("merge-base", one, other, fine=(0, 1)).partition("\n")[0]
