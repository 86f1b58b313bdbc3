"""The `merge` part of a repository's settings: what Tide's words mean, and that what is wrong is named."""

from __future__ import annotations

import pytest

from pilothouse.delivery.acting.settings import Settings, SettingsError, read_settings
from pilothouse.delivery.forges.model import BranchTip, MergeMethod, PullRequest
from pilothouse.delivery.merging import Contexts, Query

WHOLE = """
merge:
  method: {"^release-": merge, ".*": squash}
  squash_label: squash-me
  rebase_label: ""
  priority: [urgent, {labels: [big, red]}]
  queries:
  - {labels: ["lgtm,small"], author: "dependabot[bot]", milestone: 1.2, reviewApprovedRequired: true}
  context_options:
    required-contexts: [ci/build]
    optional-regex-contexts: ["^ci/night"]
    skip-unknown-contexts: true
    from-branch-protection: true
optional_contexts: [ci/coverage]
"""


def test_all_of_it() -> None:
    merge = read_settings(WHOLE).merge
    assert merge.methods.of("release-1", ()) == "merge"
    assert merge.methods.of("main", ()) == "squash"
    assert merge.methods.of("release-1", ("squash-me",)) == "squash"
    assert merge.methods.of("main", ("tide/merge-method-rebase",)) == "squash"
    assert merge.priority == (frozenset({"urgent"}), frozenset({"big", "red"}))
    (query,) = merge.queries
    assert query == Query(
        frozenset({"lgtm,small"}), frozenset(), author="dependabot[bot]", milestone="1.2", approved=True
    )
    assert merge.contexts == Contexts(
        frozenset({"ci/build"}), optional=frozenset({"ci/coverage"}), optional_patterns=("^ci/night",),
        skip_unknown=True, from_protection=True,
    )  # fmt: skip
    assert read_settings("") == Settings()


PULL = PullRequest(
    "acme/shop", 7, "Faster {{ .Body }}", "ann", BranchTip("ann/shop", "cart", "2" * 40),
    BranchTip("acme/shop", "main", ""), "It was slow.\n",
)  # fmt: skip


@pytest.mark.parametrize(
    ("template", "method", "said"),
    [
        ("", "merge", "Merge #7: Faster {{ .Body }}\n\nIt was slow.\n"),
        ("", "squash", "Faster {{ .Body }} (#7)\n\nIt was slow.\n"),
        ('{title: "{{.Title}} (#{{ .Number }}) by {{- .AuthorLogin -}}"}', "merge",
         "Faster {{ .Body }} (#7) by ann\n\nIt was slow.\n"),
        ('{title: "{{ .Org }}/{{ .Repo }}\\nx", body: "{{ .HeadRefName }} into {{ .BaseRef.Name }}"}', "squash",
         "acme/shop x\n\ncart into main\n"),
    ],
)  # fmt: skip
def test_what_a_merges_commit_says(template: str, method: MergeMethod, said: str) -> None:
    merge = read_settings(f"merge: {{merge_commit_template: {template}}}").merge
    assert merge.commit.message(PULL, method) == said


@pytest.mark.parametrize(
    ("merge", "place"),
    [
        (
            "{merge_commit_template: {title: '{{ .Nothing }}'}}",
            "there is no field .Nothing; there are",
        ),
        ("{merge_commit_template: {body: '{{ if .Title }}'}}", "'{{ if .Title }}': only fields can be asked for"),
        ("{merge_commit_template: {head: x}}", "merge_commit_template.head: is not known here"),
        ("{method: fast}", "merge.method 'fast': must be merge, squash or rebase"),
        ("{method: {main: fast}}", "merge.method.main 'fast'"),
        ("{method: {'(': merge}}", "merge.method: '(' is not an expression"),
        ("{method: [merge]}", "merge.method ['merge']"),
        ("{squash_label: {a: b}}", "merge.squash_label: must be text"),
        ("{queries: {}}", "merge.queries: must be a list"),
        ("{queries: [{labels: [a], missingLabels: [a]}]}", "merge.queries[0]: asks for the label a and forbids it"),
        ("{queries: [{}, {includedBranches: [a], excludedBranches: [b]}]}", "merge.queries[1]: has includedBranches"),
        ("{queries: [{author: [ann]}]}", "merge.queries[0].author: must be text"),
        ("{queries: [{orgs: [acme]}]}", "merge.queries[0].orgs: is not known here"),
        ("{queries: [{reviewApprovedRequired: 'yes'}]}", "merge.queries[0].reviewApprovedRequired: must be true"),
        ("{priority: [{a: b}]}", "merge.priority[0].a: is not known here"),
        ("{context_options: {optional-regex-contexts: ['[']}}", "merge.context_options.optional-regex-contexts: '['"),
        ("{context_options: {required-contexts: [a], optional-contexts: [a]}}", "a is named twice"),
        ("{context_options: {required-contexts: [a], required-if-present-contexts: [a]}}", "a is named twice"),
        ("{context_options: {required-contexts: [night], optional-regex-contexts: [^ni]}}", "night is named twice"),
    ],
)
def test_what_is_wrong_is_named(merge: str, place: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(f"merge: {merge}")
    assert place in str(raised.value)
