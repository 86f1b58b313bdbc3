"""A repository's own rules for chat and merging: `.pilothouse/delivery.yaml` of its base branch.

    chat:
      lgtm_acts_as_approve: true       # the names are those of `chat.Policy`
      require_dco: true
      blocked_paths: ["^vendor/"]
      labels: [bug, kind/feature]      # further labels for /label
      restricted_labels: {tide/merge-method-squash: [bob]}   # labels that only some may set
      store_tree_hash: true            # lgtm stays when commits are squashed and the files are the same
      test_drafts: true                # drafts are tested by themselves too
      allow_top_level_owners: false    # /override is for administrators only
      require_matching_label:          # without a kind it is labelled needs-kind, and not merged
      - {regexp: "^kind/", missing_label: needs-kind, missing_comment: "Say `/kind bug`, or which it is."}
    merge:
      method: squash                   # merge, squash or rebase
      batch: 5                         # so many changes are tested together at most
      ahead: 2                         # so many trees at a time
      priority: [priority/critical]    # labels that go first, the most urgent first
      queries:
      - labels: [lgtm, approved]
        missingLabels: [needs-rebase]
        includedBranches: [main]
    optional_contexts: [ci/coverage]   # contexts from elsewhere that need not be green

Without the file a change needs the labels `lgtm` and `approved`, and is merged by a merge commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import re2
import yaml

from pilothouse.delivery.chat.model import RequiredLabel
from pilothouse.delivery.merging import Query

PATH = ".pilothouse/delivery.yaml"
_FLAGS = (
    "review_acts_as_lgtm", "lgtm_acts_as_approve", "require_self_approval", "ignore_review_state", "skip_collaborators",
    "require_dco", "block_merge_commits", "store_tree_hash", "allow_top_level_owners", "test_drafts",
)  # fmt: skip
_PATTERNS = ("blocked_paths", "generated_paths")
_PEOPLE = ("milestone_maintainers",)
_LABELS = {"labels": "additional_labels"}
_REQUIRED, _RESTRICTED = "require_matching_label", "restricted_labels"
_QUERY = {
    "labels": "labels", "missingLabels": "missing_labels", "includedBranches": "branches",
    "excludedBranches": "excluded_branches",
}  # fmt: skip


class SettingsError(Exception):
    """The file cannot be read; the message names the place."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`chat` are fields of `chat.Policy`; `broken` says what is wrong with the file, which then does not count."""

    chat: Mapping[str, Any] = field(default_factory=dict)
    method: Literal["merge", "squash", "rebase"] = "merge"
    batch: int = 5
    ahead: int = 2
    priority: tuple[str, ...] = ()
    queries: tuple[Query, ...] = (Query(),)
    optional_contexts: frozenset[str] = frozenset()
    broken: str = ""


def read_settings(text: str) -> Settings:
    """From the file's text. Raises `SettingsError`."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(f"{PATH}: is not YAML: {str(error).splitlines()[0]}") from None
    content = _mapping(content, "", ("chat", "merge", "optional_contexts"))
    known = (*_FLAGS, *_PATTERNS, *_PEOPLE, *_LABELS, "reviewers", _REQUIRED, _RESTRICTED)
    chat = _mapping(content.get("chat"), "chat", known)
    merge = _mapping(content.get("merge"), "merge", ("method", "batch", "ahead", "priority", "queries"))
    found: dict[str, Any] = {name: _flag(chat[name], f"chat.{name}") for name in _FLAGS if name in chat}
    found |= {name: _patterns(chat[name], f"chat.{name}") for name in _PATTERNS if name in chat}
    found |= {name: frozenset(_texts(chat[name], f"chat.{name}")) for name in _PEOPLE if name in chat}
    found |= {field: frozenset(_texts(chat[name], f"chat.{name}")) for name, field in _LABELS.items() if name in chat}
    if _REQUIRED in chat:
        found["required_labels"] = _required(chat[_REQUIRED], f"chat.{_REQUIRED}")
    if _RESTRICTED in chat:
        found[_RESTRICTED] = _restricted(chat[_RESTRICTED], f"chat.{_RESTRICTED}")
    if "reviewers" in chat:
        found["reviewers"] = _number(chat["reviewers"], "chat.reviewers", 0)
    method = merge.get("method", "merge")
    if method not in ("merge", "squash", "rebase"):
        raise SettingsError(f"{PATH}: merge.method {method!r}: must be merge, squash or rebase")
    queries = merge.get("queries")
    if queries is not None and not isinstance(queries, list):
        raise SettingsError(f"{PATH}: merge.queries: must be a list")
    return Settings(
        found, method,
        _number(merge.get("batch", 5), "merge.batch", 1), _number(merge.get("ahead", 2), "merge.ahead", 1),
        _texts(merge.get("priority"), "merge.priority"),
        (Query(),) if queries is None else tuple(_query(one, f"merge.queries[{at}]") for at, one in enumerate(queries)),
        frozenset(_texts(content.get("optional_contexts"), "optional_contexts")),
    )  # fmt: skip


def _query(content: Any, where: str) -> Query:
    found = _mapping(content, where, tuple(_QUERY))
    return Query(**{field: frozenset(_texts(found.get(name), f"{where}.{name}")) for name, field in _QUERY.items()})


def _required(content: Any, where: str) -> tuple[RequiredLabel, ...]:
    if not isinstance(content, list):
        raise SettingsError(f"{PATH}: {where}: must be a list")
    found = []
    for at, one in enumerate(content):
        place = f"{where}[{at}]"
        said = _mapping(one, place, ("regexp", "missing_label", "missing_comment", "branch"))
        for name, value in said.items():
            if not isinstance(value, str) or len(value) > 1000:
                raise SettingsError(f"{PATH}: {place}.{name}: must be text of at most 1000 characters")
        for name in ("regexp", "missing_label"):
            if not said.get(name):
                raise SettingsError(f"{PATH}: {place}.{name}: is needed")
        _patterns([said[name] for name in ("regexp", "branch") if said.get(name)], place)
        found.append(RequiredLabel(**said))
    return tuple(found)


def _restricted(content: Any, where: str) -> dict[str, frozenset[str]]:
    if not isinstance(content, dict):
        raise SettingsError(f"{PATH}: {where}: must be a mapping of label to a list of logins")
    return {str(label): frozenset(_texts(people, f"{where}.{label}")) for label, people in content.items()}


def _mapping(value: Any, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{PATH}: {where or 'the file'}: must be a mapping")
    if unknown := sorted(str(key) for key in value if key not in known):
        place = f"{where}.{unknown[0]}" if where else unknown[0]
        raise SettingsError(f"{PATH}: {place}: is not known here; there are {', '.join(known)}")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str | int) for one in value):
        raise SettingsError(f"{PATH}: {where}: must be a list of texts")
    return tuple(map(str, value))


def _patterns(value: Any, where: str) -> tuple[str, ...]:
    for one in (found := _texts(value, where)):
        try:
            re2.compile(one)
        except re2.error as error:
            raise SettingsError(f"{PATH}: {where}: {one!r} is not an expression: {error}") from None
    return found


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{PATH}: {where}: must be true or false")
    return value


def _number(value: Any, where: str, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 100:
        raise SettingsError(f"{PATH}: {where}: must be a whole number from {least} to 100")
    return value
