"""Unified hunks of a file, read for their lines."""

from __future__ import annotations

import re

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
