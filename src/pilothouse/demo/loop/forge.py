"""The built-in forge as one of its people uses it: its API with a token, and real git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pilothouse.demo import environment
from pilothouse.demo.failures import DemoError


@dataclass(frozen=True)
class Person:
    """Somebody with a token, on the forge at `base_url`."""

    login: str
    token: str
    base_url: str

    def get(self, path: str, **parameters: Any) -> Any:
        """An answer of `/api/forge`. Raises DemoError."""
        return self._asked("GET", path, params=parameters).json()

    def post(self, path: str, **body: Any) -> Any:
        """Do something by `/api/forge`. Raises DemoError."""
        return self._asked("POST", path, json=body).json()

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
        ran = subprocess.run(  # noqa: S603 - git, with the demo's own arguments
            ["git", *arguments],  # noqa: S607 - whichever git this machine has
            cwd=directory, env={**environment.clean(), **who}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        if ran.returncode:
            raise DemoError(f"git {arguments[0]}: {ran.stderr.replace(self.token, '***').strip()}")
        return ran.stdout

    def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        try:
            answer = httpx.request(
                method, f"{self.base_url}/api/forge{path}", headers=headers, timeout=30, trust_env=False, **more
            )
        except httpx.TransportError as error:
            raise DemoError(f"the forge does not answer: {error or type(error).__name__}") from error
        if not answer.is_success:
            raise DemoError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer
