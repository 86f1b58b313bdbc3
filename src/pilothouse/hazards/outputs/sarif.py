"""SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), as code scanning services read it."""

from __future__ import annotations

import json
from typing import Any

from pilothouse import __version__
from pilothouse.hazards.model import Finding, Rule, Severity, State
from pilothouse.hazards.outputs.grouping import by_cause
from pilothouse.hazards.reviewing import Review

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
_WEIGHT = {
    Severity.CRITICAL: "9.0", Severity.HIGH: "7.0", Severity.MEDIUM: "5.0", Severity.LOW: "3.0", Severity.INFO: "1.0",
}  # fmt: skip


def write(review: Review) -> str:
    """One run; excepted findings are in it as suppressed."""
    findings = [*review.findings, *review.excepted]
    rules = [rule for rule, _ in by_cause(findings)]
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    invocation = {
        "executionSuccessful": not review.problems,
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {"text": one.message},
                "locations": [_location(one.file, one.line, one.column)],
            }
            for one in review.problems
        ],
    }
    run = {
        "tool": {
            "driver": {
                "name": "pilothouse",
                "version": __version__,
                "informationUri": "https://pilothouse.readthedocs.io",
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(one, numbers[one.rule.id]) for one in findings],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.advice}\n" + "\n".join(rule.sources)},
        "helpUri": rule.sources[0] if rule.sources else "https://pilothouse.readthedocs.io",
        "defaultConfiguration": {"level": _LEVELS.get(rule.severity, "note")},
        "properties": {"tags": ["kubernetes", rule.family], "security-severity": _WEIGHT[rule.severity]},
    }


def _result(finding: Finding, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": number,
        "level": "none" if finding.state is State.REFUTED else _LEVELS.get(finding.severity, "note"),
        "kind": "notApplicable" if finding.state is State.REFUTED else "fail",
        "message": {"text": ". ".join([f"{finding.subject}: {finding.message}", *finding.evidence])},
        "partialFingerprints": {"pilothouse/v1": finding.fingerprint},
        "properties": {"state": str(finding.state), "severity": str(finding.severity)},
    }
    place = finding.place
    made["locations"] = [_location(place.file, place.line, place.column)] if place.file else []
    if finding.excepted:
        made["suppressions"] = [{"kind": "inSource", "justification": finding.excepted}]
    return made


def _location(file: str, line: int, column: int) -> dict[str, Any]:
    from urllib.parse import quote

    place: dict[str, Any] = {"artifactLocation": {"uri": quote(file.removeprefix("./"))}}
    if line:
        place["region"] = {"startLine": line, "startColumn": max(column, 1)}
    return {"physicalLocation": place}
