"""Each rule's examples, and one field of a clean manifest broken: exactly the right rules speak."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pilothouse.hazards.checking import Compiled
from pilothouse.hazards.examples import build
from pilothouse.hazards.loading import WARNINGS, own_rules
from pilothouse.hazards.model import Rule
from tests.ui.sayings import holes, rule_says, spoken_rules

RULES = own_rules()
COMPILED = Compiled(RULES)
STATIC = [rule for rule in RULES if rule.scope != "telemetry"]
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def speak(example: dict[str, Any]) -> set[str]:
    return {finding.rule.id for finding in build(example).findings(COMPILED)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_workload_has_no_finding(kind: str) -> None:
    assert speak({"kind": kind}) == set()


@pytest.mark.parametrize("rule", STATIC, ids=lambda rule: rule.id)
def test_examples(rule: Rule) -> None:
    passing, failing = rule.examples.get("pass", []), rule.examples.get("fail", [])
    assert len(passing) >= 2
    assert len(failing) >= 2
    for example in failing:
        findings = build(example).findings(COMPILED)
        found = {finding.rule.id for finding in findings}
        untold = [one.message for one in findings if one.rule.message and not rule_says(one.rule.id, one.message)]
        assert untold == [], "has no Japanese in ui/src/words/ja/rules.json"
        assert rule.id in found, f"silent on {example}"
        assert found <= {rule.id, *rule.also}, f"others speak too on {example}"
    for example in passing:
        assert rule.id not in speak(example), f"speaks on {example}"
    assert not COMPILED.errors


def test_every_rule_speaks_japanese_on_the_page() -> None:
    """That each message it makes of its examples has a pattern is seen with those."""
    spoken = spoken_rules()
    assert {rule.id for rule in RULES} == set(spoken)
    assert [name for name, one in spoken.items() if not {"title", "advice", "why"} <= set(one)] == []
    assert [rule.id for rule in RULES if rule.message and not spoken[rule.id].get("says")] == []
    patterns = [pair for one in spoken.values() for pair in one.get("says", {}).items()]
    assert [english for english, other in patterns if not holes(other) <= holes(english)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_why_and_where_from(rule: Rule) -> None:
    assert len(rule.why) > 60
    assert rule.sources
    assert all(source.startswith("https://") for source in rule.sources)
    assert rule.advice
    assert rule.title[0].isupper() or rule.title[0].islower()
    assert not rule.title.endswith(".")
    assert rule.hurting >= rule.severity
    assert rule.when or rule.live or rule.telemetry or rule.scope == "schema"
    assert not rule.conflicts_with or rule.conflict
    known = {one.id for one in RULES}
    assert {*rule.also, *rule.conflicts_with} <= known


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_somebody_held_the_rule_against_its_sources(rule: Rule) -> None:
    assert date.fromisoformat(rule.verified)
    assert set(rule.unread) < set(rule.sources)


def test_there_are_enough_and_the_talk_is_covered() -> None:
    assert len(RULES) >= 100
    assert {way for rule in RULES for way in rule.ways} == set(range(1, 11))
    assert {name for rule in RULES for name in rule.warnings} == set(WARNINGS)
