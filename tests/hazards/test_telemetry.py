"""Each telemetry rule on series that hurt and series that are calm, and the states that follow."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pilothouse.hazards.examples import build
from pilothouse.hazards.judging import judge
from pilothouse.hazards.loading import own_rules
from pilothouse.hazards.matching import about, made_by, subject_of
from pilothouse.hazards.model import Rule, Severity, State, Subject, TelemetryProof
from pilothouse.hazards.telemetry import Row, TelemetryError
from tests.hazards.recorded import Recorded

RULES = own_rules()
PROOFS = [(rule, proof) for rule in RULES for proof in rule.telemetry]


@pytest.mark.parametrize(("rule", "proof"), PROOFS, ids=[f"{rule.id}-{n}" for n, (rule, _) in enumerate(PROOFS)])
def test_a_query_answers_where_it_hurts_and_is_silent_where_it_is_calm(rule: Rule, proof: TelemetryProof) -> None:
    assert proof.collector
    for series in proof.hurts:
        recorded = Recorded(series)
        assert set(proof.needs) <= recorded.names(), series
        assert recorded.ask(proof.query), (proof.query, series)
    for series in proof.calm:
        assert Recorded(series).ask(proof.query) == [], (proof.query, series)


def shape(series: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The metrics and their label names, and the values: what makes an example another kind of example."""
    return {
        (*re.findall(r"[{,]?(\w+)=", one), one.rpartition(" ")[0].rpartition("}")[2], one.split()[-1]) for one in series
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_two_examples_each_way(rule: Rule) -> None:
    assert rule.scope != "telemetry" or any(not proof.confirms for proof in rule.telemetry)
    for proof in rule.telemetry:
        for examples in (proof.hurts, proof.calm):
            assert len(examples) >= 2
            assert len({frozenset(shape(one)) for one in examples}) == len(examples), "the same kind of example twice"
    if rule.scope != "telemetry":
        assert min(len(rule.examples["pass"]), len(rule.examples["fail"])) >= 2


def judged(example: dict[str, Any], name: str, series: list[str]) -> tuple[list[Any], Any]:
    findings = [one for one in build(example).findings(RULES) if one.rule.id == name]
    return findings, judge(findings, [rule for rule in RULES if rule.id == name], Recorded(series))


THROTTLED = {"container": {"resources": {"limits": {"cpu": "500m"}}}}
POD = 'namespace="shop",pod="web-6d4b75cb6d-x2x4z",container="web"'


def test_measured_throttling_raises_the_severity_and_is_the_evidence() -> None:
    series = [f"container_cpu_cfs_throttled_periods_total{{{POD}}} 0+300x30",
              f"container_cpu_cfs_periods_total{{{POD}}} 0+600x30"]  # fmt: skip
    (finding,), _ = judged(THROTTLED, "ISO-003", series)
    assert finding.state is State.HURTING
    assert finding.severity is Severity.HIGH
    assert "0.5" in finding.evidence[0]


def test_silence_refutes_only_when_the_metric_is_there() -> None:
    calm = [f"container_cpu_cfs_throttled_periods_total{{{POD}}} 0x30",
            f"container_cpu_cfs_periods_total{{{POD}}} 0+600x30"]  # fmt: skip
    (finding,), _ = judged(THROTTLED, "ISO-003", calm)
    assert finding.state is State.REFUTED
    assert finding.severity is Severity.INFO
    (finding,), result = judged(THROTTLED, "ISO-003", ["up 1x30"])
    assert finding.state is State.NOT_EVALUABLE
    assert finding.severity is Severity.LOW
    assert "cAdvisor" in finding.missing[0]
    assert any("not evaluable without cAdvisor" in note for note in result.notes)


def test_another_workloads_series_do_not_prove_this_one() -> None:
    other = POD.replace("web-6d4b75cb6d-x2x4z", "cart-6d4b75cb6d-x2x4z")
    series = [f"container_cpu_cfs_throttled_periods_total{{{other}}} 0+300x30",
              f"container_cpu_cfs_periods_total{{{other}}} 0+600x30"]  # fmt: skip
    (finding,), result = judged(THROTTLED, "ISO-003", series)
    assert finding.state is State.REFUTED
    (found,) = result.findings
    assert found.subject.name == "cart-6d4b75cb6d-x2x4z"
    assert found.state is State.HURTING


def test_what_only_telemetry_shows_is_a_finding() -> None:
    _, result = judged({}, "ISO-007", ['node_nf_conntrack_entries{instance="n1"} 90x30',
                                       'node_nf_conntrack_entries_limit{instance="n1"} 100x30'])  # fmt: skip
    (found,) = result.findings
    assert found.subject == Subject("Node", "", "n1")
    assert found.severity is Severity.CRITICAL


def test_what_has_other_causes_confirms_and_makes_no_finding_of_its_own() -> None:
    proof = next(rule for rule in RULES if rule.id == "MSH-004").telemetry[0]
    assert proof.confirms
    findings, result = judged({}, "MSH-004", list(proof.hurts[0]))
    assert findings == result.findings == []
    routed = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "spec": {"hosts": ["web"]}}
    guessed = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"name": "api", "port": 80}]}}
    (finding,), result = judged({"objects": [routed, guessed]}, "MSH-004", list(proof.hurts[0]))
    assert finding.state is State.HURTING
    assert result.findings == []


def test_what_shows_a_state_and_no_harm_makes_a_finding_active() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "http", "appProtocol": "http"}]
    service = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "selector": {"app": "web"}, "ports": ports}
    local = {"and": [{"kind": "Service", "metadata": {"name": "lb"}, "spec": service}]}
    one = 'kubeproxy_sync_proxy_rules_no_local_endpoints_total{instance="n1",traffic_policy="external"}'
    (finding,), _ = judged(local, "CLD-005", [f"{one} 1x30"])
    assert finding.state is State.ACTIVE
    (finding,), _ = judged(local, "CLD-005", [f"{one} 0x30"])
    assert finding.state is State.REFUTED


def test_a_query_that_is_refused_is_a_note() -> None:
    class Refusing(Recorded):
        def ask(self, query: str) -> list[Row]:
            raise TelemetryError("too many samples")

    result = judge([], [rule for rule in RULES if rule.id == "ISO-015"], Refusing(["node_arp_entries 1x3"]))
    assert any("too many samples" in note for note in result.notes)


@pytest.mark.parametrize(
    ("pod", "workload", "same"),
    [
        ("web-6d4b75cb6d-x2x4z", "web", True), ("web-0", "web", True), ("web-x2x4z", "web", True), ("web", "web", True),
        ("web-frontend-6d4b75cb6d-x2x4z", "web", False), ("webby-0", "web", False),
        ("web-28012345-abcde", "web", True),
    ],
)  # fmt: skip
def test_pods_and_their_workloads(pod: str, workload: str, same: bool) -> None:
    assert made_by(pod, workload) is same


def test_labels_and_subjects() -> None:
    web = Subject("Deployment", "shop", "web", "main")
    assert about(web, {"namespace": "shop", "deployment": "web"})
    assert not about(web, {"namespace": "other", "deployment": "web"})
    assert not about(web, {"container": "sidecar", "pod": "web-0"})
    assert about(web, {})
    assert subject_of({"namespace": "a", "statefulset": "db"}) == Subject("StatefulSet", "a", "db")
    assert subject_of({}) == Subject()
