"""What is allowed and still goes wrong: texts of strangers in scripts, and what a real cluster would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilothouse.delivery.pipelines.documents import Document


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: the rule's name, how bad it is (`error`, `warning`, `info`), where, what, and what to do."""

    rule: str
    severity: str
    document: str
    path: str
    message: str
    advice: str

    def to_json(self) -> dict[str, str]:
        """For programs."""
        return {
            "rule": self.rule, "severity": self.severity, "document": self.document, "path": self.path,
            "message": self.message, "advice": self.advice,
        }  # fmt: skip


def lint(documents: Sequence[Document]) -> list[Finding]:
    """All findings, the worst first."""
    from pilothouse.delivery.pipelines.linting import injection, portability

    found: Iterator[Finding] = iter([*injection.findings(documents), *portability.findings(documents)])
    order = ("error", "warning", "info")
    return sorted(found, key=lambda one: (order.index(one.severity), one.document, one.path))
