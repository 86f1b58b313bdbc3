"""Findings by cause, and what all outputs say about one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pilothouse.hazards.fixing import diff
from pilothouse.hazards.model import Finding, Rule
from pilothouse.hazards.reviewing import Review

_WITH_DIFF = 5


def by_cause(findings: Iterable[Finding]) -> list[tuple[Rule, list[Finding]]]:
    """The findings of each rule together, the most severe first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule.id, []).append(finding)
    return sorted(
        ((found[0].rule, found) for found in groups.values()),
        key=lambda group: (-max(one.severity for one in group[1]), group[0].id),
    )


def as_dicts(review: Review, findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as data; of each rule the first few have their fix as a diff, which costs more than all the rest."""
    seen: dict[str, int] = {}
    made = []
    for finding in findings:
        number = seen[finding.rule.id] = seen.get(finding.rule.id, 0) + 1
        made.append(as_dict(review, finding, number <= _WITH_DIFF))
    return made


def as_dict(review: Review, finding: Finding, with_diff: bool = True) -> dict[str, Any]:
    """One finding as data."""
    source = review.source(finding) if with_diff else None
    subject, place = finding.subject, finding.place
    return {
        "rule": finding.rule.id,
        "family": finding.rule.family,
        "title": finding.rule.title,
        "severity": str(finding.severity),
        "state": str(finding.state),
        "message": finding.message,
        "subject": {
            "kind": subject.kind, "namespace": subject.namespace, "name": subject.name, "container": subject.container,
        },
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": ".".join(map(str, finding.path)),
        "evidence": finding.evidence,
        "missing": finding.missing,
        "advice": finding.rule.advice,
        "conflict": finding.rule.conflict,
        "conflicts_with": list(finding.rule.conflicts_with),
        "fix": diff(source, finding) if source else "",
        "patch": finding.rule.patch,
        "fix_is_safe": finding.rule.safe,
        "ways": list(finding.rule.ways),
        "sources": list(finding.rule.sources),
        "fingerprint": finding.fingerprint,
    }  # fmt: skip


def summary(review: Review) -> str:
    """One line: what was looked at, what was found."""
    counts: dict[str, int] = {}
    for finding in review.findings:
        counts[str(finding.severity)] = counts.get(str(finding.severity), 0) + 1
    order = ("critical", "high", "medium", "low", "info")
    found = ", ".join(f"{counts[name]} {name}" for name in order if name in counts) or "no findings"
    parts = [f"{len(review.objects)} object{'' if len(review.objects) == 1 else 's'}", found]
    if review.excepted:
        parts.append(f"{len(review.excepted)} excepted")
    if review.known:
        parts.append(f"{len(review.known)} known from the baseline")
    if review.problems:
        parts.append(f"{len(review.problems)} could not be read")
    return "; ".join(parts)
