"""The nouns: a story, its causes, and a change around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.signals.timerange import to_rfc3339

CauseKind = Literal["function", "dependency", "operation", "error", "memory", "change", "symptom"]
ChangeKind = Literal["release", "config", "event", "instances"]
Relation = Literal["itself", "upstream", "downstream", "cluster"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One possible reason; `share` of the effect that it explains (0 to 1, None where nothing measures it).

    `finding` is the rank of the finding that shows it, or 0; `words` the proof in a sentence.
    """

    kind: CauseKind
    subject: str
    service: str
    words: str
    score: float
    share: float | None = None
    finding: int = 0

    def to_json(self, rank: int) -> dict[str, Any]:
        """As `/api/compare` answers it."""
        return {
            "rank": rank,
            "kind": self.kind,
            "subject": self.subject,
            "service": self.service,
            "words": self.words,
            "score": round(self.score, 3),
            "share": None if self.share is None else round(self.share, 3),
            "finding": self.finding or None,
        }


@dataclass(frozen=True, slots=True)
class Story:
    """What was felt (`title`), why (the first cause), and the ranks of all findings that belong to it."""

    title: str
    direction: str
    causes: tuple[Cause, ...]
    findings: tuple[int, ...]
    links: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `/api/compare` answers it."""
        return {
            "title": self.title,
            "direction": self.direction,
            "causes": [cause.to_json(rank) for rank, cause in enumerate(self.causes, 1)],
            "findings": list(self.findings),
            "links": list(self.links),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed around the time: `at` in nanoseconds; `relation` to the service that is judged."""

    at: int
    kind: ChangeKind
    service: str
    relation: Relation
    words: str

    def to_json(self) -> dict[str, Any]:
        """As `/api/compare` and `/api/why` answer it."""
        return {
            "at": to_rfc3339(self.at),
            "kind": self.kind,
            "service": self.service,
            "relation": self.relation,
            "words": self.words,
        }
