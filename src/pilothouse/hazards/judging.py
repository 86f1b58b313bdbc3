"""Telemetry decides: a finding hurts, is refuted, or cannot be judged since a metric is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pilothouse.hazards.matching import about, subject_of
from pilothouse.hazards.model import Finding, Rule, State, TelemetryProof
from pilothouse.hazards.telemetry import Row, Telemetry, TelemetryError

# One broken exporter must not make a thousand findings of one rule.
_MOST = 50


@dataclass(slots=True)
class Judged:
    """New findings that only telemetry showed, and notes on what could not be asked."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    evaluated: int = 0


def judge(
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    telemetry: Telemetry,
    progress: Callable[[str], None] = lambda _: None,
) -> Judged:
    """Set the states of the findings by what telemetry says; raises `TelemetryError` when it does not answer at all."""
    names = telemetry.names()
    result = Judged()
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule.id, []).append(finding)
    missing: dict[str, set[str]] = {}
    asked = [rule for rule in rules if rule.telemetry]
    for number, rule in enumerate(asked, 1):
        progress(f"asking telemetry: {number} of {len(asked)}")
        mine = by_rule.get(rule.id, [])
        answers, absent = _answers(rule, telemetry, names, result)
        for proof, rows in answers:
            _prove(rule, proof, rows, mine, result)
        for name, collector in absent:
            missing.setdefault(collector or "an exporter", set()).add(f"{name} ({rule.id})")
        _settle(mine, answers, absent)
    result.notes += [
        f"not evaluable without {collector}: {', '.join(sorted(which)[:6])}{' and more' if len(which) > 6 else ''}"
        for collector, which in sorted(missing.items())
    ]
    return result


def _answers(
    rule: Rule, telemetry: Telemetry, names: set[str], result: Judged
) -> tuple[list[tuple[TelemetryProof, list[Row]]], list[tuple[str, str]]]:
    """The answers to those questions that can be asked, and the metrics that the others lack."""
    answers, absent = [], []
    for proof in rule.telemetry:
        lacking = [name for name in proof.needs if name not in names]
        if lacking:
            absent += [(name, proof.collector) for name in lacking]
            continue
        try:
            answers.append((proof, telemetry.ask(proof.query)))
            result.evaluated += 1
        except TelemetryError as error:
            result.notes.append(f"{rule.id} could not be asked: {error}")
            absent.append((proof.needs[0], proof.collector))
    return answers, absent


def _prove(rule: Rule, proof: TelemetryProof, rows: Sequence[Row], mine: list[Finding], result: Judged) -> None:
    for row in rows[:_MOST]:
        fact = f"{_labels(row)} = {row.value:.4g} for {proof.query}"
        met = [finding for finding in mine if about(finding.subject, row.labels)]
        for finding in met:
            if finding.state is not State.HURTING:
                finding.state = proof.state
            if len(finding.evidence) < 3:
                finding.evidence.append(fact)
        if not met and not proof.confirms:
            made = Finding(rule, subject_of(row.labels), proof.state, rule.title, evidence=[fact])
            same = next((one for one in result.findings if one.rule is rule and one.subject == made.subject), None)
            if same is None:
                result.findings.append(made)
    if len(rows) > _MOST:
        result.notes.append(f"{rule.id}: {len(rows)} series answer, the first {_MOST} are shown")


def _settle(
    mine: list[Finding], answers: list[tuple[TelemetryProof, list[Row]]], absent: list[tuple[str, str]]
) -> None:
    """Those that nothing proved: refuted where silence says so, not evaluable where a metric was missing."""
    for finding in mine:
        if finding.state is not State.LATENT:
            continue
        if absent:
            finding.state = State.NOT_EVALUABLE
            finding.missing = [f"{name} ({collector})" if collector else name for name, collector in absent]
            finding.evidence.append(f"telemetry cannot say: {finding.missing[0]} is missing")
        elif answers and all(proof.refutes for proof, _ in answers):
            finding.state = State.REFUTED
            finding.evidence.append(f"telemetry says it does not apply here: nothing answers {answers[0][0].query}")


def _labels(row: Row) -> str:
    shown = [f"{name}={value}" for name, value in sorted(row.labels.items()) if name != "__name__"]
    return "{" + ", ".join(shown[:6]) + "}" if shown else "the cluster"
