"""Which pull requests merge, and exactly why the others do not.

Source: Prow's Tide (https://docs.prow.k8s.io/docs/components/core/tide/, kubernetes-sigs/prow `pkg/tide`).
"""

from __future__ import annotations

from dataclasses import replace

from pilothouse.delivery.chat import Policy, PullRequest
from pilothouse.delivery.chat.model import ChangedFile, Status
from pilothouse.delivery.merging import Query
from tests.delivery.chat.state import POLICY, PULL

QUERIES = [Query(excluded_branches=frozenset({"frozen"}))]
DONE = {name: Status("success") for name in ("unit", "lint", "code")}
READY = replace(PULL, labels=PULL.labels | {"lgtm", "approved"}, statuses=DONE)


def has(*labels: str) -> PullRequest:
    """What is ready, but for these labels."""
    return replace(READY, labels=READY.labels | frozenset(labels))


def says(**states: str) -> PullRequest:
    """What is ready, but for these statuses."""
    return replace(READY, statuses=DONE | {name: Status(state) for name, state in states.items()})  # type: ignore[arg-type]


ROWS: list[tuple[str, PullRequest, Policy, set[str]]] = [
    ("all is well", READY, POLICY, set()),
    ("no lgtm", replace(READY, labels=READY.labels - {"lgtm"}), POLICY, {"needs the label lgtm"}),
    ("not approved", replace(READY, labels=READY.labels - {"approved"}), POLICY, {"needs the label approved"}),
    ("neither", replace(READY, labels=frozenset()), POLICY, {"label approved", "label lgtm"}),
    ("hold", has("do-not-merge/hold"), POLICY, {"has the label do-not-merge/hold"}),
    ("work in progress", has("do-not-merge/work-in-progress"), POLICY, {"do-not-merge/work-in-progress"}),
    ("bad messages", has("do-not-merge/invalid-commit-message"), POLICY, {"invalid-commit-message"}),
    ("merge commits", has("do-not-merge/contains-merge-commits"), POLICY, {"contains-merge-commits"}),
    ("bad owners", has("do-not-merge/invalid-owners-file"), POLICY, {"invalid-owners-file"}),
    ("blocked paths", has("do-not-merge/blocked-paths"), POLICY, {"blocked-paths"}),
    ("needs a rebase", has("needs-rebase"), POLICY, {"must not have the label needs-rebase"}),
    ("needs ok-to-test", has("needs-ok-to-test"), POLICY, {"must not have the label needs-ok-to-test"}),
    ("two holds", has("do-not-merge/hold", "needs-rebase"), POLICY, {"do-not-merge/hold", "needs-rebase"}),
    ("conflicts", replace(READY, conflicts=True), POLICY, {"conflicts with main"}),
    ("closed", replace(READY, state="closed"), POLICY, {"it is closed"}),
    ("merged", replace(READY, state="merged"), POLICY, {"it is merged"}),
    ("a branch that is frozen", replace(READY, base="frozen"), POLICY, {"merging into frozen is switched off"}),
    ("a required one is red", says(unit="failure"), POLICY, {"unit is failure"}),
    ("a required one waits", says(unit="pending"), POLICY, {"unit is pending"}),
    ("a required one has an error", says(code="error"), POLICY, {"code is error"}),
    ("a required one has not run", replace(READY, statuses={"lint": Status("success"), "code": Status("success")}),
     POLICY, {"unit has not run: /test unit"}),
    ("an optional one is red", says(lint="failure", e2e="failure"), POLICY, set()),
    ("an optional one has not run", replace(READY, statuses={"unit": Status("success"), "code": Status("success")}),
     POLICY, set()),
    # Prow requires it where it is present, as somebody had asked for it.
    ("one that does not match is red", says(docs="failure"), POLICY, {"docs is failure"}),
    # One that is not for the branch is like somebody else's.
    ("one of another branch is red", says(release="failure"), POLICY, {"release is failure"}),
    ("one that matches has not run", replace(READY, files=(ChangedFile("docs/a", 1),)), POLICY, {"docs has not run"}),
    ("somebody else's is red", says(other="failure"), POLICY, {"other is failure"}),
    ("somebody else's waits", says(other="pending"), POLICY, {"other is pending"}),
    ("somebody else's is green", says(other="success"), POLICY, set()),
    ("no sign-off", says(dco="failure"), replace(POLICY, require_dco=True), {"dco is failure"}),
    ("what was overridden", replace(READY, statuses=DONE | {"unit": Status("success", "Overridden by root")}), POLICY,
     set()),
    ("a release branch asks for more", replace(READY, base="release-1.0"), POLICY, {"release has not run"}),
    ("no jobs at all", replace(READY, statuses={}), replace(POLICY, jobs=()), set()),
]  # fmt: skip
