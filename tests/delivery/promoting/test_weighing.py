"""When a promotion's pull request merges: every strategy against every state that a pull request can be in."""

from __future__ import annotations

import pytest

from pilothouse.delivery.environments import Strategy
from pilothouse.delivery.promoting.weighing import View, decide

GREEN = {"test": "success"}
AUTO, MANUAL, NEVER = Strategy.AUTO, Strategy.MANUAL, Strategy.NEVER


@pytest.mark.parametrize(
    ("strategy", "view", "move", "reason"),
    [
        (AUTO, View(), "merge", "green"),
        (AUTO, View(statuses=GREEN), "merge", "green"),
        (AUTO, View(statuses={"test": "pending"}), "wait", "waits for test"),
        (AUTO, View(statuses={"test": "failure"}), "wait", "test failed"),
        (AUTO, View(statuses={"test": "error"}), "wait", "test failed"),
        (AUTO, View(statuses=GREEN, labels=frozenset({"do-not-merge/hold"})), "wait", "do-not-merge/hold"),
        (AUTO, View(statuses=GREEN, mergeable=False), "wait", "conflicts"),
        (AUTO, View(statuses=GREEN, mergeable=None), "merge", "green"),
        (AUTO, View(statuses=GREEN, draft=True), "wait", "draft"),
        (AUTO, View(statuses=GREEN, touched=True), "wait", "somebody has pushed"),
        (AUTO, View(statuses=GREEN, touched=True, approvers=("ann",)), "merge", "approved and green"),
        (AUTO, View(statuses=GREEN, objectors=("bob",)), "wait", "bob asked for changes"),
        (MANUAL, View(statuses=GREEN), "wait", "waits for an approval"),
        (MANUAL, View(statuses=GREEN, approvers=("ann",)), "merge", "approved and green"),
        (MANUAL, View(statuses=GREEN, labels=frozenset({"approved"})), "merge", "approved and green"),
        (MANUAL, View(statuses={"test": "failure"}, approvers=("ann",)), "wait", "test failed"),
        (MANUAL, View(approvers=("ann",), labels=frozenset({"do-not-merge/hold"})), "wait", "held"),
        (MANUAL, View(approvers=("ann",), objectors=("bob",)), "wait", "bob asked for changes"),
        (NEVER, View(approvers=("ann",)), "wait", "no promotions"),
        (AUTO, View("merged"), "merged", "was merged"),
        (MANUAL, View("closed"), "closed", "was closed"),
    ],
)
def test_a_pull_request_merges_when_its_strategy_allows(strategy: Strategy, view: View, move: str, reason: str) -> None:
    found = decide(strategy, view)
    assert found.move == move
    assert reason in found.reason


def test_a_check_that_must_be_there_is_waited_for() -> None:
    assert decide(AUTO, View(), ("test",)).reason == "waits for test"
    assert decide(AUTO, View(statuses=GREEN), ("test",)).move == "merge"
    assert decide(MANUAL, View(statuses=GREEN, approvers=("ann",)), ("test", "scan")).reason == "waits for scan"


def test_hazards_want_a_person_even_where_all_is_automatic() -> None:
    waits = decide(AUTO, View(statuses=GREEN), blocked="1 new hazard, the worst high: POD-001")
    assert (waits.move, "POD-001" in waits.reason) == ("wait", True)
    assert decide(AUTO, View(statuses=GREEN, approvers=("ann",)), blocked="1 new hazard").move == "merge"
