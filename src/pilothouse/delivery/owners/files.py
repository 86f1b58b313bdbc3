"""One OWNERS or OWNERS_ALIASES file (kubernetes-sigs/prow, `pkg/repoowners`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import re2
import yaml

_ROLES = ("approvers", "reviewers", "required_reviewers", "labels")
_HEADER = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)


class OwnersError(Exception):
    """The file cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class People:
    """Who a part of a file names; logins in lower case, aliases not yet resolved."""

    approvers: frozenset[str] = frozenset()
    reviewers: frozenset[str] = frozenset()
    required_reviewers: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.approvers or self.reviewers or self.required_reviewers or self.labels)


@dataclass(frozen=True, slots=True)
class OwnersFile:
    """A file's people: for all paths below its directory, and by expression on the path relative to it."""

    everywhere: People = People()
    filters: tuple[tuple[str, People], ...] = ()
    no_parent_owners: bool = False
    auto_approve_unowned_subfolders: bool = field(default=False)

    def people(self, relative: str) -> list[People]:
        """Who is named for a path, relative to the file's directory."""
        found = [self.everywhere] if self.everywhere else []
        return found + [people for pattern, people in self.filters if re2.search(pattern, relative)]


def read_owners(text: str) -> OwnersFile:
    """An OWNERS file, or the YAML head of a Markdown file. Raises `OwnersError`."""
    content = _mapping(text)
    options = content.get("options") or {}
    if not isinstance(options, dict):
        raise OwnersError("options: must be a mapping")
    filters = []
    given = content.get("filters") or {}
    if not isinstance(given, dict):
        raise OwnersError("filters: must be a mapping of expression to owners")
    for pattern, part in given.items():
        try:
            re2.compile(str(pattern))
        except re2.error as error:
            raise OwnersError(f"filters: {pattern!r} is not an expression: {error}") from None
        filters.append((str(pattern), _people(part, f"filters.{pattern}")))
    own = _people({name: content.get(name) for name in _ROLES}, "")
    if filters and own:
        raise OwnersError("filters and owners beside them exclude each other; use the filter .* for all paths")
    return OwnersFile(
        own, tuple(filters), bool(options.get("no_parent_owners")), bool(options.get("auto_approve_unowned_subfolders"))
    )


def read_aliases(text: str) -> dict[str, frozenset[str]]:
    """OWNERS_ALIASES: names that stand for several people. Raises `OwnersError`."""
    aliases = _mapping(text).get("aliases") or {}
    if not isinstance(aliases, dict):
        raise OwnersError("aliases: must be a mapping of name to logins")
    return {str(name).lower(): _names(people, f"aliases.{name}") for name, people in aliases.items()}


def _mapping(text: str) -> dict[str, Any]:
    head = _HEADER.match(text)
    try:
        content = yaml.safe_load(head[1] if head else text)
    except yaml.YAMLError as error:
        raise OwnersError(f"is not YAML: {str(error).splitlines()[0]}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise OwnersError("must be a mapping")
    return content


def _people(part: Any, where: str) -> People:
    if not isinstance(part, dict):
        raise OwnersError(f"{where}: must be a mapping")
    prefix = f"{where}." if where else ""
    found = {name: _names(part.get(name), f"{prefix}{name}") for name in _ROLES if name != "labels"}
    labels = part.get("labels") or []
    if not isinstance(labels, list):
        raise OwnersError(f"{prefix}labels: must be a list")
    return People(**found, labels=frozenset(map(str, labels)))


def _names(value: Any, where: str) -> frozenset[str]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(name, str | int) for name in value):
        raise OwnersError(f"{where}: must be a list of logins")
    return frozenset(str(name).lower().lstrip("@") for name in value)
