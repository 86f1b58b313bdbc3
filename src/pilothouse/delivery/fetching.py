"""git against a forge's remote: nothing asks, nothing hooks, and the forge's secret is in the environment alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Links of a repository would lead out of a checkout, to files of this machine; they become files with a path in them.
_GIT = ("git", "-c", "core.symlinks=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never")
_KEPT = ("PATH", "HOME", "LANG", "SSL_CERT_FILE")
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1"}


class FetchError(Exception):
    """git refused; the message is in its own words."""


def git(arguments: Sequence[str], secrets: Mapping[str, str], seconds: float, directory: Path | None = None) -> str:
    """What git writes, `secrets` (a remote's environment) added to its environment. Raises `FetchError`."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | _QUIET | dict(secrets)
    try:
        done = subprocess.run(  # noqa: S603
            [*_GIT, *arguments], cwd=directory, env=environment, capture_output=True, timeout=seconds, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"git: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        # Advice may follow what it was that failed.
        fatal = [line for line in said if line.startswith("fatal:")] or said[-1:]
        raise FetchError(f"git: {fatal[0] if fatal else f'ended with {done.returncode}'}")
    return done.stdout.decode(errors="replace")
