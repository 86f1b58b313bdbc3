"""Annotations of GitHub Actions (workflow commands)."""

from __future__ import annotations

from pilothouse.hazards.model import Finding, Severity
from pilothouse.hazards.outputs.grouping import summary
from pilothouse.hazards.reviewing import Review

_COMMANDS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}


def write(review: Review) -> str:
    """A line for each finding and each file that cannot be read, and a summary."""
    lines = [_line(one) for one in review.findings]
    for problem in review.problems:
        place = f"file={_value(problem.file)},line={max(problem.line, 1)}"
        lines.append(f"::error {place}::{_message(problem.message)}")
    return "\n".join([*lines, f"::notice::{_message('pilothouse check: ' + summary(review))}"]) + "\n"


def _line(finding: Finding) -> str:
    command = _COMMANDS.get(finding.severity, "notice")
    place = finding.place
    where = f"file={_value(place.file)},line={place.line or 1},col={place.column or 1}," if place.file else ""
    title = f"title={_value(f'{finding.rule.id} ({finding.severity}, {finding.state})')}"
    text = " ".join([f"{finding.subject}: {finding.message}.", *finding.evidence, finding.rule.advice])
    return f"::{command} {where}{title}::{_message(text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
