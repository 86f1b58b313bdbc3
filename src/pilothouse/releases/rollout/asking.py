"""What a rollout asks before it goes on, as an interface: the judge's verdict and the values of checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pilothouse.releases.comparison import Verdict
    from pilothouse.releases.rollout.plan import Check
    from pilothouse.releases.rollout.run import Run


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, the sentence that says it, and what it rests on."""

    verdict: Verdict
    words: str
    evidence: dict[str, Any] = field(default_factory=dict)


class Asking(Protocol):
    """Who knows how the candidate does."""

    def judge(self, run: Run, now: float, level: float) -> Answer:
        """The verdict on the time since the step's weight was set; wrong about an equal version in at most `level`."""

    def served(self, run: Run, now: float) -> int:
        """How many requests the candidate has served since the step's weight was set."""

    def measure(self, run: Run, check: Check, now: float) -> float | None:
        """The value of a check over its window before now; None when there is none."""
