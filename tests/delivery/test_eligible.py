"""Why a pull request does not merge, exactly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilothouse.delivery.chat import Job, Policy, PullRequest
from pilothouse.delivery.forges.model import ChangedFile, Status
from pilothouse.delivery.merging import Query, why_not

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
]


@pytest.mark.parametrize(("pull", "reasons"), CASES)
def test_the_reasons(pull: PullRequest, reasons: tuple[str, ...]) -> None:
    assert why_not(pull, POLICY, QUERIES) == reasons


def test_without_queries_nothing_merges() -> None:
    assert why_not(GOOD, POLICY, ()) == ("no query of the merge pool is configured",)
