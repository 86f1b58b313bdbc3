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
      method: squash                   # merge, squash or rebase; or by branch: {"^release-": merge, ".*": squash}
      squash_label: tide/merge-method-squash   # the label that asks for it; so rebase_label, merge_label ("": none)
      batch: 5                         # so many changes are tested together at most
      ahead: 2                         # so many trees at a time
      priority: [priority/critical]    # labels that go first, the most urgent first
      queries:
      - labels: [lgtm, approved]
        missingLabels: [needs-rebase]
        includedBranches: [main]
      - author: dependabot[bot]        # or milestone: v1.2
        reviewApprovedRequired: true   # a review has to approve it
        labels: ["lgtm,skip-review"]   # one of the two
      context_options:                 # contexts from elsewhere; the repository's jobs say themselves what they are
        required-contexts: [ci/build]  # has to be there; all others have to be green where they are
        required-if-present-contexts: [ci/arm]
        optional-contexts: [ci/coverage]
        optional-regex-contexts: ["^ci/nightly-"]
        skip-unknown-contexts: true    # what is not named here does not count
        from-branch-protection: true   # what the forge's protected branch requires is required
    optional_contexts: [ci/coverage]   # the same as optional-contexts

Without the file a change needs the labels `lgtm` and `approved`, and is merged by a merge commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from pilothouse.delivery.acting import settings_values as values
from pilothouse.delivery.acting.merge_settings import MergeSettings, merge_settings
from pilothouse.delivery.acting.settings_values import PATH, SettingsError
from pilothouse.delivery.chat.model import RequiredLabel

__all__ = ["PATH", "Settings", "SettingsError", "read_settings"]

_FLAGS = (
    "review_acts_as_lgtm", "lgtm_acts_as_approve", "require_self_approval", "ignore_review_state", "skip_collaborators",
    "require_dco", "block_merge_commits", "store_tree_hash", "allow_top_level_owners", "test_drafts",
)  # fmt: skip
_PATTERNS = ("blocked_paths", "generated_paths")
_PEOPLE = ("milestone_maintainers",)
_LABELS = {"labels": "additional_labels"}
_REQUIRED, _RESTRICTED = "require_matching_label", "restricted_labels"


@dataclass(frozen=True, slots=True)
class Settings:
    """`chat` are fields of `chat.Policy`; `broken` says what is wrong with the file, which then does not count."""

    chat: Mapping[str, Any] = field(default_factory=dict)
    merge: MergeSettings = field(default_factory=MergeSettings)
    broken: str = ""


def read_settings(text: str) -> Settings:
    """From the file's text. Raises `SettingsError`."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(f"{PATH}: is not YAML: {str(error).splitlines()[0]}") from None
    content = values.mapping(content, "", ("chat", "merge", "optional_contexts"))
    known = (*_FLAGS, *_PATTERNS, *_PEOPLE, *_LABELS, "reviewers", _REQUIRED, _RESTRICTED)
    chat = values.mapping(content.get("chat"), "chat", known)
    merge = merge_settings(content.get("merge"))
    found: dict[str, Any] = {name: values.flag(chat[name], f"chat.{name}") for name in _FLAGS if name in chat}
    found |= {name: values.patterns(chat[name], f"chat.{name}") for name in _PATTERNS if name in chat}
    found |= {name: frozenset(values.texts(chat[name], f"chat.{name}")) for name in _PEOPLE if name in chat}
    found |= {
        field: frozenset(values.texts(chat[name], f"chat.{name}")) for name, field in _LABELS.items() if name in chat
    }
    if _REQUIRED in chat:
        found["required_labels"] = _required(chat[_REQUIRED], f"chat.{_REQUIRED}")
    if _RESTRICTED in chat:
        found[_RESTRICTED] = _restricted(chat[_RESTRICTED], f"chat.{_RESTRICTED}")
    if "reviewers" in chat:
        found["reviewers"] = values.number(chat["reviewers"], "chat.reviewers", 0)
    optional = frozenset(values.texts(content.get("optional_contexts"), "optional_contexts"))
    contexts = replace(merge.contexts, optional=merge.contexts.optional | optional)
    return Settings(found, replace(merge, contexts=contexts))


def _required(content: Any, where: str) -> tuple[RequiredLabel, ...]:
    if not isinstance(content, list):
        raise SettingsError(f"{PATH}: {where}: must be a list")
    found = []
    for at, one in enumerate(content):
        place = f"{where}[{at}]"
        said = values.mapping(one, place, ("regexp", "missing_label", "missing_comment", "branch"))
        for name, value in said.items():
            if not isinstance(value, str) or len(value) > 1000:
                raise SettingsError(f"{PATH}: {place}.{name}: must be text of at most 1000 characters")
        for name in ("regexp", "missing_label"):
            if not said.get(name):
                raise SettingsError(f"{PATH}: {place}.{name}: is needed")
        values.patterns([said[name] for name in ("regexp", "branch") if said.get(name)], place)
        found.append(RequiredLabel(**said))
    return tuple(found)


def _restricted(content: Any, where: str) -> dict[str, frozenset[str]]:
    if not isinstance(content, dict):
        raise SettingsError(f"{PATH}: {where}: must be a mapping of label to a list of logins")
    return {str(label): frozenset(values.texts(people, f"{where}.{label}")) for label, people in content.items()}
