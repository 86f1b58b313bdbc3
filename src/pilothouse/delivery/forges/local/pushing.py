"""What somebody wants to push, and which of it is refused.

receive-pack has the last word: it runs an `update` hook, which decides nothing itself but reads the rules written here.
A ref is refused alone, the others of the push go in, as with git's own protections.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pilothouse.delivery.forges.errors import InvalidError
from pilothouse.delivery.forges.events import NO_COMMIT
from pilothouse.delivery.forges.local import names
from pilothouse.delivery.forges.local.git import environment
from pilothouse.delivery.forges.local.house import BOT
from pilothouse.delivery.forges.local.looking import LocalReading
from pilothouse.delivery.forges.local.repositories import Kept, Repositories
from pilothouse.delivery.forges.model import PERMISSIONS
from pilothouse.replacing import replace_file

_TAKEN = ("refs/heads/", "refs/tags/", "refs/notes/")
_OURS = "refs/pilothouse/"
_HOOK = """\
#!/bin/sh
# Written by Pilothouse at each start. Which refs may move how is in the file that the environment names.
while read -r rule ref reason; do
    [ "$ref" = "$1" ] || continue
    case $rule in
    refuse) echo "$reason" >&2; exit 1 ;;
    forward) git merge-base --is-ancestor "$2" "$3" || { echo "$reason" >&2; exit 1; } ;;
    esac
done < "$PILOTHOUSE_RULES" || exit 1
exit 0
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One ref that is to move."""

    before: str
    after: str
    ref: str


def commands(head: bytes) -> list[Command]:
    """The commands at the beginning of a push (gitprotocol-pack, "Reference Update Request"). Raises `InvalidError`."""
    found = []
    for line in _lines(head):
        text = line.partition(b"\0")[0].decode("utf-8", "replace").rstrip("\n")
        if text.startswith("shallow "):
            continue
        parts = text.split(" ", 2)
        if len(parts) != 3 or not all(names.is_hash(part) for part in parts[:2]):
            raise InvalidError("this is not what git sends to push")
        found.append(Command(*parts))
    return found


def _lines(head: bytes) -> Iterator[bytes]:
    at = 0
    while at + 4 <= len(head):
        length = pkt_length(head[at : at + 4])
        if length == 0:
            return
        yield head[at + 4 : at + length]
        at += length


def pkt_length(digits: bytes) -> int:
    """The length of a pkt-line with its four digits; 0 for a flush. Raises `InvalidError`."""
    try:
        length = int(digits, 16)
    except ValueError:
        length = -1
    if length != 0 and not 4 <= length <= 65520:
        raise InvalidError("this is not what git sends to push")
    return length


def rules(repositories: Repositories, kept: Kept, forge: LocalReading, asked: list[Command]) -> list[str]:
    """A rule a line: what is refused and why, and what may only go forward."""
    found = []
    may = forge.may(kept)
    for command in asked:
        ref = command.ref
        if not names.is_ref(ref) or not ref.startswith((*_TAKEN, _OURS)):
            found.append(f"refuse {ref} only branches, tags and notes are taken here")
        elif ref.startswith(_OURS) and forge.me.login != BOT:
            found.append(f"refuse {ref} these refs are Pilothouse's own")
        elif ref.startswith("refs/heads/"):
            branch = ref.removeprefix("refs/heads/")
            protection = repositories.protection(kept, branch)
            if not protection:
                continue
            if command.after == NO_COMMIT:
                found.append(f"refuse {ref} {branch} is protected: it stays")
            elif forge.me.login != BOT and command.before != NO_COMMIT and protection.push == "none":
                found.append(f"refuse {ref} {branch} is protected: ask for it with a pull request")
            elif forge.me.login != BOT and PERMISSIONS.index(may) < PERMISSIONS.index(protection.push):
                found.append(f"refuse {ref} {branch} is protected: pushing to it needs {protection.push}")
            elif command.before != NO_COMMIT:
                found.append(f"forward {ref} {branch} is protected: it is never moved backwards")
    return found


@contextmanager
def enforced(hooks: Path, found: list[str], settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """git's environment with some settings, in which rules are kept. No rules: no hook, no process for each ref."""
    if not found:
        yield environment(settings)
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="rules-", dir=hooks) as file:
        file.write("".join(f"{line}\n" for line in found))
        file.flush()
        yield environment({**settings, "core.hooksPath": str(hooks)}) | {"PILOTHOUSE_RULES": file.name}


def write_hook(hooks: Path) -> Path:
    """The hook in a directory of ours. Raises `OSError` where it would not be run: then nothing would be protected."""
    hooks.mkdir(parents=True, exist_ok=True)
    for left in hooks.glob("rules-*"):
        left.unlink(missing_ok=True)
    hook = hooks / "update"
    replace_file(hook, _HOOK, 0o700)
    if not os.access(hook, os.X_OK):
        raise OSError(f"{hooks}: programs cannot be run from there, so that no branch could be protected; see noexec")
    return hooks
