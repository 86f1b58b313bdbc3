"""Files as they were at a revision of git, in a directory that is gone afterwards."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class RevisionError(Exception):
    """The revision cannot be had; the message is git's."""


@contextmanager
def at_revision(revision: str, paths: Sequence[str]) -> Iterator[list[str]]:
    """The paths at a revision, as paths of a temporary directory; those that were not there are left out."""
    first = Path(paths[0]) if paths and paths[0] != "-" else Path()
    root = Path(_git(first if first.is_dir() else first.parent, "rev-parse", "--show-toplevel").decode().strip())
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    with tempfile.TemporaryDirectory(prefix="pilothouse-before-") as directory:
        there = []
        for path in paths:
            below = Path(path).resolve().relative_to(root)
            if not _git(root, "ls-tree", "-r", "--name-only", commit, "--", f"./{below}"):
                continue
            archive = Path(directory) / "before.tar"
            _git(root, "archive", "--format=tar", "-o", str(archive), commit, "--", f"./{below}")
            with tarfile.open(archive) as opened:
                opened.extractall(directory, filter="data")
            archive.unlink()
            there.append(str(Path(directory) / below))
        yield there


def _git(directory: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=directory or ".", capture_output=True, check=False)  # noqa: S603, S607
    except OSError as error:
        raise RevisionError(f"git: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RevisionError(said[-1] if said else f"git {arguments[0]} ended with {done.returncode}")
    return done.stdout
