"""Commit messages by Conventional Commits 1.0 (conventionalcommits.org)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEAD = re.compile(r"(?P<kind>[0-9A-Za-z-]+)(?:\((?P<scope>[^()\n]+)\))?(?P<breaking>!)?: (?P<text>\S.*)")
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE: (.+)", re.MULTILINE)
_ISSUE = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s+#(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Commit:
    """A message's parts; `kind` is empty when it is no conventional commit, `breaking` says what breaks."""

    kind: str
    scope: str
    text: str
    breaking: str = ""
    issues: tuple[int, ...] = ()
    sha: str = ""


def parse_commit(message: str, sha: str = "") -> Commit:
    """The parts of a message. Never fails: what has no form of its own is all text."""
    head, _, body = message.strip().partition("\n")
    issues = tuple(dict.fromkeys(int(number) for number in _ISSUE.findall(message)))
    found = _HEAD.fullmatch(head.strip())
    said = _BREAKING.search(body)
    if not found:
        return Commit("", "", head.strip(), said[1].strip() if said else "", issues, sha)
    breaking = said[1].strip() if said else found["text"] if found["breaking"] else ""
    return Commit(found["kind"].lower(), found["scope"] or "", found["text"], breaking, issues, sha)
