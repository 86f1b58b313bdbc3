"""Symptom first, over recorded series."""

from __future__ import annotations

import pytest

from pilothouse.hazards.asking import recognise, symptoms, verdict, walk
from pilothouse.signals.metrics.promql.parser import parse
from tests.hazards.recorded import Recorded

CALM = ['coredns_dns_request_duration_seconds_bucket{le="0.01"} 0+10x30',
        'coredns_dns_request_duration_seconds_bucket{le="+Inf"} 0+10x30',
        'coredns_dns_responses_total{rcode="NOERROR"} 0+10x30']  # fmt: skip
CONNTRACK = ['node_nf_conntrack_entries{instance="n1"} 95x30', 'node_nf_conntrack_entries_limit{instance="n1"} 100x30']


@pytest.mark.parametrize(
    ("said", "name"),
    [("dns is slow", "dns"), ("kubectl hangs", "api"), ("my pods are Pending", "pending"), ("checkout is slow", "slow"),
     ("image pulls fail with 429", "pull"), ("502 at every deploy", "rollout"), ("zombies on one node", "node"),
     ("OOMKilled again", "memory"), ("audit log volume", "logs"), ("the HPA does not scale", "replicas")],
)  # fmt: skip
def test_words_lead_to_a_symptom(said: str, name: str) -> None:
    found = recognise(said)
    assert found
    assert found.name == name
    assert recognise("the weather is nice") is None


def test_it_looks_like_dns_and_is_conntrack() -> None:
    (dns,) = (one for one in symptoms() if one.name == "dns")
    looks = walk(dns, Recorded([*CALM, *CONNTRACK]))
    outcomes = [look.outcome for look in looks]
    assert outcomes[:3] == ["no", "no", "no"]
    assert outcomes[4] == "yes"
    assert looks[4].rows[0].labels["instance"] == "n1"
    assert "it is not CoreDNS" in verdict(looks)
    assert looks[-1].outcome == "unknown"


def test_what_is_not_measured_is_said() -> None:
    (dns,) = (one for one in symptoms() if one.name == "dns")
    assert "lack their metric" in verdict(walk(dns, Recorded(CALM)))
    assert "Nothing can be said" in verdict(walk(dns, Recorded(["up 1x3"])))


@pytest.mark.parametrize("symptom", symptoms(), ids=lambda one: one.name)
def test_all_queries_can_be_read(symptom: object) -> None:
    for step in symptom.steps:  # type: ignore[attr-defined]
        parse(step.ask)
        assert step.needs in step.ask or "allowance" in step.ask or "flowcontrol" in step.needs
