"""What charts commonly render: a rule that speaks about most of it weighs little until there is evidence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pilothouse.hazards.checking import Compiled, check
from pilothouse.hazards.loading import own_rules
from pilothouse.hazards.model import Severity
from pilothouse.kube.parsing import parse

CHARTS = sorted((Path(__file__).parent / "charts").glob("*.yaml"))


def test_what_nearly_every_chart_does_is_low_until_evidence_raises_it() -> None:
    rules = Compiled(own_rules())
    speaking: Counter[str] = Counter()
    for chart in CHARTS:
        parsed = parse(chart.read_text(), chart.name)
        assert not parsed.problems
        findings = check(parsed.objects, rules)
        assert findings, f"nothing at all about {chart.name}"
        speaking.update({finding.rule.id for finding in findings})
    assert len(CHARTS) >= 20
    assert not rules.errors
    loud = {rule.id for rule in rules.rules if 2 * speaking[rule.id] >= len(CHARTS)}
    assert loud >= {"POD-006", "ISO-001"}
    assert {rule.id for rule in rules.rules if rule.id in loud and rule.severity > Severity.LOW} == set()
    assert all(rule.hurting > Severity.LOW for rule in rules.rules if rule.id in loud)


# What of the manifests that projects publish is worth a person's time: medium and above, each of them true.
PUBLISHED = {
    "database.yaml": {"IMG-003"},
    "ingress-controller.yaml": {"UPG-003", "CFG-010"},
    "istio-injected.yaml": {"IMG-003"},
    "prometheus-operator.yaml": {"POD-005", "CFG-010"},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_manifests_raise_no_false_alarm(name: str) -> None:
    """A primary told by a label that its elector sets, pods that an operator makes, proxies that were injected."""
    parsed = parse((Path(__file__).parent / "published" / name).read_text(), name)
    assert not parsed.problems
    found = {finding.rule.id for finding in check(parsed.objects, own_rules()) if finding.severity >= Severity.MEDIUM}
    assert found == PUBLISHED[name]
