"""Files and folders at a commit, and commits that write files without a working tree."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from typing import Literal

from pilothouse.delivery.forges.errors import InvalidError, MissingError
from pilothouse.delivery.forges.local import names
from pilothouse.delivery.forges.local.git import Git
from pilothouse.delivery.forges.model import TreeEntry, User

_MOST_FILE = 10 << 20
_KINDS: dict[str, Literal["folder", "submodule"]] = {"040000": "folder", "160000": "submodule"}


def read_file(git: Git, commit: str, path: str) -> bytes:
    """A file at a commit. Raises `MissingError`; `InvalidError` for a folder and above 10 MB."""
    names.path(path)
    if "\n" in path:
        raise MissingError(f"there is no {path[:200]!r}")
    said = git.text("cat-file", "--batch-check", given=f"{commit}:{path}\n".encode()).split(" ")
    if len(said) != 3 or said[1] not in ("blob", "tree"):
        raise MissingError(f"there is no {path[:200]!r} at {commit[:12]}")
    if said[1] != "blob":
        raise InvalidError(f"{path[:200]!r} is a folder")
    if int(said[2]) > _MOST_FILE:
        raise InvalidError(f"{path[:200]!r} has {int(said[2]):,} bytes; files are read up to {_MOST_FILE:,}")
    return git.run("cat-file", "blob", said[0])


def read_folder(git: Git, commit: str, path: str = "", deep: bool = False) -> tuple[TreeEntry, ...]:
    """What a folder holds; nothing when there is none."""
    path = path.strip("/")
    if path:
        names.path(path)
    tree = f"{commit}:{path}" if path else commit
    arguments = ["ls-tree", "-z", "-l", *(["-r", "-t"] if deep else []), "--end-of-options", tree]
    code, raw, _ = git.tried(*arguments)
    if code:
        return ()
    entries = []
    for line in raw.decode("utf-8", "replace").split("\0")[:-1]:
        about, _, name = line.partition("\t")
        mode, _, _, size = about.split()
        kind = _KINDS.get(mode) or ("symlink" if mode == "120000" else "file")
        entries.append(TreeEntry(f"{path}/{name}" if path else name, kind, int(size) if size.isdigit() else 0))
    return tuple(entries)


def write_files(git: Git, parent: str, files: Mapping[str, bytes | None], message: str, user: User) -> str:
    """A commit on `parent` (empty: the first) with files written or deleted (None); `parent` when nothing changes."""
    modes = _modes(git, parent, [names.path(path) for path in files])
    ref = f"refs/pilothouse/writing/{secrets.token_hex(8)}"
    who = f"{_plain(user.name)} <{_plain(user.email)}> {int(time.time())} +0000".encode()
    text = message.encode()
    parts = [b"commit %s\ncommitter %s\ndata %d\n%s\n" % (ref.encode(), who, len(text), text)]
    if parent:
        parts.append(f"from {parent}\n".encode())
    for path, content in files.items():
        if content is not None:
            mode = modes.get(path, "100644")
            parts.append(b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), _quoted(path), len(content), content))
        elif path in modes:
            parts.append(b"D %s\n" % _quoted(path))
    parts.append(b"done\n")
    git.run("fast-import", "--quiet", "--done", "--date-format=raw", given=b"".join(parts))
    try:
        made = git.commit(ref)
    finally:
        # Just made, and so loose: nothing packs what lives for a moment.
        (git.directory / ref).unlink(missing_ok=True)
    if parent and git.tree(made) == git.tree(parent):
        return parent
    return made


def _modes(git: Git, parent: str, paths: list[str]) -> dict[str, str]:
    """The modes of those files that are there: what is executable stays so."""
    if not parent or not paths:
        return {}
    raw = git.run("--literal-pathspecs", "ls-tree", "-z", parent, "--", *paths)
    lines = [os.fsdecode(line) for line in raw.split(b"\0")[:-1]]
    return {name: about.split()[0] for about, _, name in (line.partition("\t") for line in lines)}


def _plain(text: str) -> str:
    """A name as commits can hold it."""
    return "".join(character for character in text if character not in "<>\n\0") or "somebody"


def _quoted(path: str) -> bytes:
    """A path as fast-import reads it, whatever is in it."""
    return b'"%s"' % path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
