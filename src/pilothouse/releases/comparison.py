"""The verdict on a candidate against a baseline, with all that it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from pilothouse.signals.sentences import parts_of, sentences_in
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.releases.both import Both
    from pilothouse.releases.finding import Finding
    from pilothouse.releases.stories.story import Change, Story
    from pilothouse.releases.trial import Side

Verdict = Literal["worse", "no_worse", "cannot_tell"]
State = Literal["worse", "no_worse", "cannot_tell", "no_data"]


@dataclass(frozen=True, slots=True)
class SignalReport:
    """One signal's part: how much was tested, and the smallest relative effect that it would have shown."""

    state: State
    tested: int
    findings: int
    smallest_effect: float | None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `/api/compare` answers it."""
        return {
            "state": self.state,
            "tested": self.tested,
            "findings": self.findings,
            "smallest_effect": self.smallest_effect,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict; `missing` says in words what data would be needed, `notes` what the judge had to assume.

    `address` is where the page shows it, when that is not told by the versions of both sides.
    """

    service: str
    sides: Both[Side]
    kind: str
    verdict: Verdict
    confidence: float
    summary: str
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    signals: dict[str, SignalReport]
    findings: tuple[Finding, ...]
    took_seconds: float
    stories: tuple[Story, ...] = ()
    changes: tuple[Change, ...] = ()
    address: str = ""

    @property
    def page(self) -> str:
        """Where the page shows it."""
        if self.address:
            return self.address
        base, other = self.sides
        start, end = min(base.windows.start, other.windows.start), max(base.windows.end, other.windows.end)
        query = urlencode({"baseline": base.version, "start": to_rfc3339(start), "end": to_rfc3339(end)})
        return f"/releases/{quote(self.service, safe='')}/{quote(other.version, safe='')}?{query}"

    def to_json(self) -> dict[str, Any]:
        """As `/api/compare` answers it."""
        said = {
            "service": self.service,
            "baseline": self.sides.baseline.to_json(),
            "candidate": self.sides.candidate.to_json(),
            "kind": self.kind,
            "verdict": self.verdict,
            "confidence": self.confidence,
            "summary": self.summary,
            "said": parts_of(self.summary),
            "missing": list(self.missing),
            "notes": list(self.notes),
            "signals": {name: report.to_json() for name, report in self.signals.items()},
            "findings": [finding.to_json() for finding in self.findings],
            "stories": [story.to_json() for story in self.stories],
            "changes": [change.to_json() for change in self.changes],
            "took_seconds": self.took_seconds,
            "page": self.page,
        }
        sayable = {name: _sayable(value) for name, value in said.items()}
        return sayable | {"sentences": sentences_in(sayable)}


def _sayable(content: Any) -> Any:
    """What JSON cannot say (infinities) becomes null: an interval may be open, and telemetry may hold anything."""
    match content:
        case float():
            return content if math.isfinite(content) else None
        case dict():
            return {name: _sayable(value) for name, value in content.items()}
        case list() | tuple():
            return [_sayable(value) for value in content]
        case _:
            return content
