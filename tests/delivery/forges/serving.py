"""The built-in forge over HTTP in this process, and a real git that talks to it."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from pilothouse.server.guarding import HANDLERS

NOBODY = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
    "GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@example.org",
}  # fmt: skip


@contextmanager
def served(routes: list[BaseRoute]) -> Iterator[str]:
    """The address of a server with these routes, on a thread."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=routes, exception_handlers=HANDLERS), log_level="error", lifespan="off")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=60)


@dataclass(frozen=True)
class Ran:
    """How a git ended and all that it wrote."""

    code: int
    said: str


def git(where: Path, *arguments: str, **environment: str) -> Ran:
    """Run the real git."""
    done = subprocess.run(
        ["git", *arguments], cwd=where, env=NOBODY | environment, capture_output=True, text=True, timeout=120
    )
    return Ran(done.returncode, done.stdout + done.stderr)


def fine(where: Path, *arguments: str, **environment: str) -> str:
    """Run a git that must succeed; what it wrote."""
    ran = git(where, *arguments, **environment)
    assert ran.code == 0, ran.said
    return ran.said.strip()


def commit(where: Path, file: str, text: str) -> str:
    """A commit in a working tree; its hash."""
    path = where / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    fine(where, "add", file)
    fine(where, "commit", "-qm", f"{file} is {text}"[:60])
    return fine(where, "rev-parse", "HEAD")
