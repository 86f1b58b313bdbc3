"""Why a pull request does not merge, exactly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilothouse.delivery.chat import Job, Policy, PullRequest
from pilothouse.delivery.forges.model import ChangedFile, Review, Status, StatusState
from pilothouse.delivery.merging import Contexts, Methods, Query, why_not

POLICY = Policy(
    jobs=(Job("unit", always_run=True), Job("docs", run_if_changed="^docs/"), Job("slow", optional=True)),
    members=frozenset({"ann"}),
)
GOOD = PullRequest(
    1, "ann", labels=frozenset({"lgtm", "approved"}), statuses={"unit": Status("success")}, files=(ChangedFile("a.py"),)
)
QUERIES = (Query(), Query(labels=frozenset({"skip-review"}), branches=frozenset({"docs"})))
CASES: list[tuple[PullRequest, tuple[str, ...]]] = [
    (GOOD, ()),
    (replace(GOOD, state="closed"), ("it is closed",)),
    (replace(GOOD, labels=frozenset({"lgtm"})), ("it needs the label approved",)),
    (replace(GOOD, labels=frozenset()), ("it needs the label approved", "it needs the label lgtm")),
    (replace(GOOD, base="docs", labels=frozenset({"skip-review"})), ()),
    (replace(GOOD, labels=GOOD.labels | {"do-not-merge/hold"}), ("it has the label do-not-merge/hold",)),
    (replace(GOOD, labels=GOOD.labels | {"needs-rebase"}), ("it must not have the label needs-rebase",)),
    (replace(GOOD, conflicts=True), ("it conflicts with main",)),
    (replace(GOOD, statuses={}), ("unit has not run: /test unit",)),
    (
        replace(GOOD, author="eve", statuses={}),
        ("unit has not run: somebody who works here has to look and say /ok-to-test",),
    ),
    (replace(GOOD, statuses={"unit": Status("failure", "2 failed")}), ("unit is failure: 2 failed",)),
    (replace(GOOD, statuses={"unit": Status("pending")}), ("unit is pending",)),
    (replace(GOOD, files=(ChangedFile("docs/a"),)), ("docs has not run: /test docs",)),
    (replace(GOOD, statuses={"unit": Status("success"), "slow": Status("failure")}), ()),
    (replace(GOOD, statuses={"unit": Status("success"), "foreign": Status("pending")}), ("foreign is pending",)),
    # What runs only when asked for need not have run, but counts once it has; not on branches that it is not for.
    (replace(GOOD, statuses={"unit": Status("success"), "docs": Status("failure")}), ("docs is failure",)),
]


@pytest.mark.parametrize(("pull", "reasons"), CASES)
def test_the_reasons(pull: PullRequest, reasons: tuple[str, ...]) -> None:
    assert why_not(pull, POLICY, QUERIES) == reasons


# Tide's queries: what is asked for, and what is said; "fine" is asked for nothing.
ASKED: list[tuple[Query, PullRequest, tuple[str, ...]]] = [
    (Query(author="Ann"), GOOD, ()),
    (Query(author="dependabot[bot]"), GOOD, ("it has to be by dependabot[bot]",)),
    (Query(milestone="v1"), replace(GOOD, milestone="v1"), ()),
    (Query(milestone="v1"), GOOD, ("it has to be in the milestone v1",)),
    (Query(labels=frozenset({"lgtm,small"})), GOOD, ()),
    (Query(labels=frozenset({"big,small"})), GOOD, ("it needs the label big or small",)),
    (Query(approved=True), GOOD, ("it needs a review that approves it, by somebody who may write here",)),
    (Query(approved=True), replace(GOOD, reviews=(Review("bob", "approved"),)), ()),
    (Query(approved=True), replace(GOOD, reviews=(Review("bob", "approved"), Review("bob", "commented"))), ()),
    (
        Query(approved=True), replace(GOOD, reviews=(Review("bob", "approved"), Review("bob", "dismissed"))),
        ("it needs a review that approves it, by somebody who may write here",),
    ),
    (
        Query(approved=True), replace(GOOD, reviews=(Review("ann", "approved"), Review("eve", "approved"))),
        ("it needs a review that approves it, by somebody who may write here",),
    ),
    (
        Query(approved=True),
        replace(GOOD, reviews=(Review("bob", "approved"), Review("cy", "changes_requested"))),
        ("cy asked for changes in a review",),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "pull", "reasons"), ASKED)
def test_a_query(query: Query, pull: PullRequest, reasons: tuple[str, ...]) -> None:
    assert why_not(pull, replace(POLICY, collaborators=frozenset({"ann", "bob", "cy"})), (query,)) == reasons


def test_the_nearest_query_is_told() -> None:
    pull = replace(GOOD, labels=frozenset())
    queries = (Query(author="eve", labels=frozenset()), Query(labels=frozenset({"a", "b", "c"})))
    assert why_not(pull, POLICY, queries) == tuple(f"it needs the label {one}" for one in "abc")


CONTEXTS: list[tuple[Contexts, dict[str, str], tuple[str, ...]]] = [
    (Contexts(), {"x": "pending", "tide": "pending"}, ("x is pending",)),
    (Contexts(optional=frozenset({"x"})), {"x": "pending"}, ()),
    (Contexts(optional_patterns=("^night",)), {"nightly-1": "failure", "tonight": "error"}, ("tonight is error",)),
    (Contexts(skip_unknown=True), {"x": "failure"}, ()),
    (Contexts(skip_unknown=True, required_if_present=frozenset({"x"})), {"x": "failure"}, ("x is failure",)),
    (Contexts(skip_unknown=True, required_if_present=frozenset({"x"})), {}, ()),
    (Contexts(required=frozenset({"x"})), {}, ("x has not reported, and has to",)),
    (Contexts(required=frozenset({"x"}), skip_unknown=True), {"x": "pending", "y": "error"}, ("x is pending",)),
    (Contexts(frozenset({"ci/*"}), skip_unknown=True), {"ci/a": "success", "ci/b": "error"}, ("ci/b is error",)),
    (Contexts(required=frozenset({"ci/*"})), {"other": "success"}, ("ci/* has not reported, and has to",)),
    # The repository's jobs have rules of their own.
    (Contexts(required=frozenset({"unit"}), skip_unknown=True), {}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("contexts", "others", "reasons"), CONTEXTS)
def test_contexts_from_elsewhere(contexts: Contexts, others: dict[str, StatusState], reasons: tuple[str, ...]) -> None:
    statuses = {**GOOD.statuses, **{name: Status(state) for name, state in others.items()}}
    assert why_not(replace(GOOD, statuses=statuses), POLICY, QUERIES, contexts) == reasons


@pytest.mark.parametrize(
    ("method", "branch", "labels"),
    [
        ("squash", "main", ()), ("merge", "release-1", ()), ("rebase", "main", ("tide/merge-method-rebase",)),
        ("merge", "main", ("tide/merge-method-merge", "bug")),
    ],
)  # fmt: skip
def test_how_it_is_merged(method: str, branch: str, labels: tuple[str, ...]) -> None:
    methods = Methods(branches=(("^release-", "merge"), ("", "squash")))
    assert methods.of(branch, labels) == method
    assert not methods.quarrel(labels)
    assert "one way only" in methods.quarrel((*labels, "tide/merge-method-squash", "tide/merge-method-rebase"))


def test_a_job_before_the_merge() -> None:
    late = Job("late", run_before_merge=True, optional=True, branches=("^main$",))
    assert why_not(GOOD, replace(POLICY, jobs=(*POLICY.jobs, late)), QUERIES) == ()
    assert late.guards(GOOD)
    assert not late.wanted(GOOD)
    assert not late.guards(replace(GOOD, base="docs"))


def test_without_queries_nothing_merges() -> None:
    assert why_not(GOOD, POLICY, ()) == ("no query of the merge pool is configured",)
