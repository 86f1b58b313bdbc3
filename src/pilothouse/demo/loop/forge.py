"""The built-in forge as one of its people uses it: its API with a token, and real git."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pilothouse.demo import environment
from pilothouse.demo.asking import PATIENCE_SECONDS, PAUSE_SECONDS, ask
from pilothouse.demo.failures import DemoError

# What git says when it was not the server that refused: a clone or a push may be tried again.
_BROKEN_OFF = re.compile(
    "connection (was )?re(set|fused)|timed out|timeout|hung up|early eof|empty reply|error: 503",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Person:
    """Somebody with a token, on the forge at `base_url`; `check` raises when there is no sense in asking again."""

    login: str
    token: str
    base_url: str
    check: Callable[[], None] = lambda: None

    def get(self, path: str, **parameters: Any) -> Any:
        """An answer of `/api/forge`. Raises DemoError."""
        return self._asked("GET", path, params=parameters).json()

    def post(self, path: str, *, again: bool = False, **body: Any) -> Any:
        """Do something by `/api/forge`; `again` says that it may be said twice. Raises DemoError."""
        return self._asked("POST", path, again=again, json=body).json()

    def file(self, repository: str, path: str, ref: str = "") -> str:
        """A file of a repository. Raises DemoError."""
        return self._asked("GET", f"/repositories/{repository}/file", params={"path": path, "ref": ref}).text

    def push(self, directory: Path, repository: str, *refs: str) -> None:
        """Push from a working tree with git itself. Raises DemoError."""
        url = f"{self.base_url}/git/{repository}.git".replace("://", f"://{self.login}:{self.token}@", 1)
        self.git(directory, "push", "--quiet", url, *refs)

    def git(self, directory: Path, *arguments: str) -> str:
        """Run git as this person; what it printed. Raises DemoError."""
        who = {
            "GIT_AUTHOR_NAME": self.login, "GIT_AUTHOR_EMAIL": f"{self.login}@shop.example",
            "GIT_COMMITTER_NAME": self.login, "GIT_COMMITTER_EMAIL": f"{self.login}@shop.example",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
        }  # fmt: skip
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                ran = subprocess.run(  # noqa: S603 - git, with the demo's own arguments
                    ["git", *arguments],  # noqa: S607 - whichever git this machine has
                    cwd=directory, env={**environment.clean(), **who}, capture_output=True, text=True,
                    timeout=PATIENCE_SECONDS, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired as error:
                raise DemoError(f"git {arguments[0]} did not end in {error.timeout:.0f} s") from None
            if not ran.returncode:
                return ran.stdout
            if not _BROKEN_OFF.search(ran.stderr) or time.monotonic() > deadline:
                raise DemoError(f"git {arguments[0]}: {ran.stderr.replace(self.token, '***').strip()}")
            self.check()
            time.sleep(PAUSE_SECONDS)

    def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        try:
            answer = ask(method, f"{self.base_url}/api/forge{path}", headers=headers, check=self.check, **more)
        except httpx.TransportError as error:
            raise DemoError(f"the forge does not answer: {error or type(error).__name__}") from error
        if not answer.is_success:
            raise DemoError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer
