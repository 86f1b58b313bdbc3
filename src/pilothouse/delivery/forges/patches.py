"""Unified hunks of files, read for their lines and put together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pilothouse.delivery.forges.model import ChangedFile

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def added_lines(patch: str) -> frozenset[int]:
    """The numbers of the lines that a file's hunks add, as the file has them afterwards."""
    added, at = set(), 0
    for line in patch.split("\n"):
        if found := _HUNK.match(line):
            at = int(found[1])
        elif at and line.startswith("+"):
            added.add(at)
            at += 1
        elif at and line.startswith(" "):
            at += 1
    return frozenset(added)


def unified(files: Iterable[ChangedFile]) -> str:
    """One diff of files with their hunks, as git writes it; one without any (binary, or too large) says so."""
    return "".join(map(_unified, files))


def _unified(file: ChangedFile) -> str:
    old = f"a/{file.previous or file.path}" if file.change != "added" else "/dev/null"
    new = f"b/{file.path}" if file.change != "removed" else "/dev/null"
    head = f"diff --git a/{file.previous or file.path} b/{file.path}\n"
    if file.previous:
        head += f"rename from {file.previous}\nrename to {file.path}\n"
    if not file.patch:
        return head if file.previous else f"{head}Lines of {old} and {new} differ that are not shown\n"
    return f"{head}--- {old}\n+++ {new}\n{file.patch.rstrip(chr(10))}\n"
