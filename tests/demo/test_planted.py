"""What the demo expects of a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.demo.planted import differences


def finding(signal: str, subject: str, **others: Any) -> dict[str, Any]:
    """A finding as the API gives it, as far as it matters here."""
    return {"signal": signal, "subject": subject, "title": "", "direction": "worse", "examples": [], **others}


def verdict(word: str, *findings: dict[str, Any]) -> dict[str, Any]:
    """A comparison as the API gives it, as far as it matters here."""
    return {"verdict": word, "findings": list(findings), "missing": []}


OPERATION = finding("traces", "POST /checkout")
FUNCTION = finding("profiles", "try_all_coupon_combinations")
MEMORY = finding("metrics", "process.memory.usage")
PATTERN = finding("logs", "order <*>: refused <*> coupon combinations below cost after <*> ms")


def test_all_that_was_planted_is_there() -> None:
    assert differences(verdict("worse", OPERATION, FUNCTION, MEMORY, PATTERN), "regression") == []
    assert differences(verdict("no_worse"), "good") == []


@pytest.mark.parametrize("missing", [OPERATION, FUNCTION, MEMORY, PATTERN])
def test_whatever_is_missing_is_named(missing: dict[str, Any]) -> None:
    rest = [one for one in (OPERATION, FUNCTION, MEMORY, PATTERN) if one is not missing]
    (difference,) = differences(verdict("worse", *rest), "regression")
    assert f"no {missing['signal']} finding names" in difference


def test_the_text_may_stand_in_an_example() -> None:
    said = finding("logs", "order <*>: <*>", examples=["order ord-1: refused 3 coupon combinations below cost"])
    assert differences(verdict("worse", OPERATION, FUNCTION, MEMORY, said), "regression") == []


def test_an_improvement_is_no_evidence() -> None:
    better = {**MEMORY, "direction": "better"}
    assert len(differences(verdict("worse", OPERATION, FUNCTION, better, PATTERN), "regression")) == 1


@pytest.mark.parametrize(("word", "scenario"), [("no_worse", "regression"), ("cannot_tell", "good"), ("worse", "good")])
def test_another_verdict_is_named(word: str, scenario: str) -> None:
    assert f"the verdict is {word}" in differences(verdict(word, MEMORY), scenario)[0]


def test_what_is_missing_for_a_verdict_is_told() -> None:
    answer = {**verdict("cannot_tell"), "missing": ["3 more minutes of data"]}
    assert "3 more minutes of data" in differences(answer, "regression")[0]
