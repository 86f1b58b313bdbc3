"""The `merge` part of `.pilothouse/delivery.yaml`, in Tide's words: queries, contexts, methods, batches, priority.

Source: kubernetes-sigs/prow, `pkg/config/tide.go`. `orgs` and `repos` are missing, since the file is one repository's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.acting import settings_values as values
from pilothouse.delivery.acting.settings_values import PATH, SettingsError
from pilothouse.delivery.forges import MergeMethod
from pilothouse.delivery.merging import Contexts, Methods, Query
from pilothouse.delivery.merging.messages import CommitTemplate, TemplateError
from pilothouse.delivery.merging.methods import LABELS, METHODS

_METHOD_LABELS = {f"{method}_label": method for method in METHODS}
_QUERY = {
    "labels": "labels", "missingLabels": "missing_labels", "includedBranches": "branches",
    "excludedBranches": "excluded_branches",
}  # fmt: skip
_CONTEXTS = {
    "required-contexts": "required", "required-if-present-contexts": "required_if_present",
    "optional-contexts": "optional",
}  # fmt: skip
_PATTERNS, _SKIP, _PROTECTED = "optional-regex-contexts", "skip-unknown-contexts", "from-branch-protection"
KNOWN = ("method", *_METHOD_LABELS, "batch", "ahead", "priority", "queries", "context_options", "merge_commit_template")


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """How the pool works; `priority` are sets of labels, the most urgent first, of which a change has all."""

    methods: Methods = field(default_factory=Methods)
    batch: int = 5
    ahead: int = 2
    priority: tuple[frozenset[str], ...] = ()
    queries: tuple[Query, ...] = (Query(),)
    contexts: Contexts = field(default_factory=Contexts)
    commit: CommitTemplate = field(default_factory=CommitTemplate)


def merge_settings(content: Any) -> MergeSettings:
    """From the file's `merge`. Raises `SettingsError`."""
    merge = values.mapping(content, "merge", KNOWN)
    queries = [_query(one, f"merge.queries[{at}]") for at, one in enumerate(values.items(merge.get("queries"),
                                                                                        "merge.queries"))]  # fmt: skip
    return MergeSettings(
        _methods(merge),
        values.number(merge.get("batch", 5), "merge.batch", 1), values.number(merge.get("ahead", 2), "merge.ahead", 1),
        tuple(_labels(one, f"merge.priority[{at}]") for at, one in
              enumerate(values.items(merge.get("priority"), "merge.priority"))),
        tuple(queries) if merge.get("queries") is not None else (Query(),),
        _contexts(merge.get("context_options")),
        _commit(merge.get("merge_commit_template")),
    )  # fmt: skip


def _commit(content: Any) -> CommitTemplate:
    where = "merge.merge_commit_template"
    found = values.mapping(content, where, ("title", "body"))
    try:
        return CommitTemplate(**{name: values.text(found.get(name), f"{where}.{name}") for name in found})
    except TemplateError as error:
        raise SettingsError(f"{PATH}: {where}: {error}") from None


def _methods(merge: Mapping[str, Any]) -> Methods:
    said = merge.get("method", "merge")
    branches = said if isinstance(said, dict) else {}
    labels = {
        method: values.text(merge.get(name, LABELS[method]), f"merge.{name}") for name, method in _METHOD_LABELS.items()
    }
    return Methods(
        "merge" if isinstance(said, dict) else _method(said, "merge.method"),
        tuple((values.pattern(str(branch), "merge.method"), _method(branches[branch], f"merge.method.{branch}"))
              for branch in branches),
        tuple((label, method) for method, label in labels.items() if label),
    )  # fmt: skip


def _method(said: Any, where: str) -> MergeMethod:
    for method in METHODS:
        if said == method:
            return method
    raise SettingsError(f"{PATH}: {where} {said!r}: must be merge, squash or rebase")


def _labels(said: Any, where: str) -> frozenset[str]:
    """One label, or Tide's `labels: [...]`, of which a change has to have all."""
    if isinstance(said, dict):
        return frozenset(values.texts(values.mapping(said, where, ("labels",)).get("labels"), f"{where}.labels"))
    return frozenset(values.texts([said], where))


def _query(content: Any, where: str) -> Query:
    found = values.mapping(content, where, (*_QUERY, "author", "milestone", "reviewApprovedRequired"))
    sets = {field: frozenset(values.texts(found.get(name), f"{where}.{name}")) for name, field in _QUERY.items()}
    if both := sets["labels"] & sets["missing_labels"]:
        raise SettingsError(f"{PATH}: {where}: asks for the label {min(both)} and forbids it")
    if sets["branches"] and sets["excluded_branches"]:
        raise SettingsError(f"{PATH}: {where}: has includedBranches and excludedBranches; one of them says it all")
    return Query(
        **sets, author=values.text(found.get("author"), f"{where}.author"),
        milestone=values.text(found.get("milestone"), f"{where}.milestone"),
        approved=values.flag(found.get("reviewApprovedRequired", False), f"{where}.reviewApprovedRequired"),
    )  # fmt: skip


def _contexts(content: Any) -> Contexts:
    where = "merge.context_options"
    found = values.mapping(content, where, (*_CONTEXTS, _PATTERNS, _SKIP, _PROTECTED))
    sets = {field: frozenset(values.texts(found.get(name), f"{where}.{name}")) for name, field in _CONTEXTS.items()}
    made = Contexts(
        **sets, optional_patterns=values.patterns(found.get(_PATTERNS), f"{where}.{_PATTERNS}"),
        skip_unknown=values.flag(found.get(_SKIP, False), f"{where}.{_SKIP}"),
        from_protection=values.flag(found.get(_PROTECTED, False), f"{where}.{_PROTECTED}"),
    )  # fmt: skip
    for context in sorted(made.required | made.required_if_present):
        if (context in made.required and context in made.required_if_present) or made.is_optional(context):
            raise SettingsError(f"{PATH}: {where}: {context} is named twice, as required and as something else")
    return made
