"""Commits and refs read and written where git keeps loose ones, without a process for each.

Sources: git's "gitrepository-layout", "Git Internals - Git Objects", and `git commit-tree` for how names are cleaned.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
import zlib
from pathlib import Path

from pilothouse.delivery.forges.model import User
from pilothouse.replacing import replace_file

HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MOST_HEAD = 4096
# What git takes out of a name, anywhere and at its ends.
_NEVER = re.compile(r"[<>\n\0]")
_AT_ENDS = " .,:;\"\\'" + "".join(map(chr, range(32)))


def commit_head(repository: Path, name: str) -> tuple[str, bytes]:
    """Hash and first bytes of the commit that a whole ref or a hash stands for, where both lie open; else nothing."""
    try:
        if name.startswith("refs/") and ".." not in name and "\0" not in name:
            name = (repository / name).read_text().strip()
        if not HASH.fullmatch(name):
            return "", b""
        with (repository / "objects" / name[:2] / name[2:]).open("rb") as file:
            head = zlib.decompressobj().decompress(file.read(_MOST_HEAD), _MOST_HEAD)
    except (OSError, UnicodeDecodeError, zlib.error):
        return "", b""
    return (name, head.partition(b"\0")[2]) if head.startswith(b"commit ") else ("", b"")


def tree_of(repository: Path, commit: str) -> str:
    """The hash of an open commit's tree; else nothing."""
    found = re.match(rb"tree ([0-9a-f]{40,64})\n", commit_head(repository, commit)[1])
    return found[1].decode() if found else ""


def write_commit(
    repository: Path, tree: str, parents: list[str], message: str, author: User, committer: User, date: str = ""
) -> str:
    """A commit of a tree; its hash. `date` is the author's, as git's raw format has it (`1700000000 +0100`)."""
    now = f"{int(time.time())} +0000"
    lines = [
        f"tree {tree}", *(f"parent {parent}" for parent in parents),
        f"author {_who(author)} {date or now}", f"committer {_who(committer)} {now}",
    ]  # fmt: skip
    body = ("\n".join(lines) + "\n\n" + message.replace("\0", "\ufffd")).encode("utf-8", "replace")
    content = b"commit %d\0" % len(body) + body
    sha = (hashlib.sha1 if len(tree) == 40 else hashlib.sha256)(content).hexdigest()
    folder = repository / "objects" / sha[:2]
    if not (folder / sha[2:]).exists():
        folder.mkdir(exist_ok=True)
        # git takes such a name for what a process left that was killed, and clears it away.
        part = folder / f"tmp_obj_{secrets.token_hex(8)}"
        replace_file(folder / sha[2:], zlib.compress(content, 1), 0o444, part=part)
    return sha


def write_ref(repository: Path, ref: str, sha: str) -> bool:
    """Set a ref, whole or not at all, under git's own lock; False when somebody else has that."""
    path = repository / ref
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        replace_file(path, f"{sha}\n", 0o644, part=path.with_name(f"{path.name}.lock"))
    except FileExistsError:
        return False
    return True


def _who(user: User) -> str:
    name = _NEVER.sub("", user.name or user.login).strip(_AT_ENDS) or user.login
    return f"{name} <{_NEVER.sub('', user.email).strip(_AT_ENDS)}>"
